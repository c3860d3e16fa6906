"""What is said of training clips; what they are is tested by test_leakage and test_cli."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.commands import select, select_genetic
from merec_hpc.config.features import FeatureSettings
from merec_hpc.records import Features
from merec_hpc.store.features import write_features

GENETIC = {"n_islands": 1, "n_individuals": 4, "n_random_migrants": 1, "n_generations": 1}
FOLDS = ["s01", "s02"]


def notes(
    features: Features, folder: Path, command: str, scaling: str, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Return the warnings of a run over two folds."""
    store, outputs = folder / "features.h5", [folder / f"{fold}.h5" for fold in FOLDS]
    write_features(store, features, FeatureSettings(), "0" * 64)
    caplog.clear()
    if command == "select":
        select.run(store, "fisher", outputs, "{}", scaling, FOLDS)
    else:
        select_genetic.run(store, outputs, json.dumps(GENETIC), scaling, FOLDS)
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("command", ["select", "select-genetic"])
def test_a_wild_range_is_noted_once_a_run(
    features: Features, tmp_path: Path, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    sizes = np.logspace(-4, 4, 30, dtype=np.float32)
    wild = replace(features, values=features.values * sizes)
    (note,) = notes(wild, tmp_path, command, "none", caplog)
    assert note.startswith(f"{tmp_path / 'features.h5'}: features are not scaled")
    assert note.endswith("--scaling standard helps")
    assert notes(wild, tmp_path, command, "standard", caplog) == []
    assert notes(features, tmp_path, command, "none", caplog) == []
