"""A file is current if the settings that made it are those that there are."""

import json
from pathlib import Path

import h5py
import pytest

from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.selection import GeneticSettings
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.files.rows import write_rows
from merec_hpc.runs.recorded import has_folds, has_permutations, is_made_by, is_selected_by


def record(path: Path, **attributes: object) -> Path:
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for name, value in attributes.items():
            file.attrs[name] = json.dumps(value)
    return path


@pytest.mark.parametrize(
    ("settings", "is_current"),
    [
        ("{}", True),
        ('{"layer": "features.18", "pooling": "mean"}', True),
        ({"layer": "features.18"}, True),  # without JSON within JSON
        ('{"layer": "features.14"}', False),
        ('{"layers": "of another version"}', False),
        (None, False),
    ],
)
def test_settings_are_compared_with_their_defaults(
    tmp_path: Path, settings: object, is_current: bool
) -> None:
    path = record(tmp_path / "features.h5", settings=settings)
    assert is_made_by(FeatureSettings(), path) == is_current


@pytest.mark.parametrize(
    ("changes", "is_current"),
    [
        ({}, True),
        ({"method": "fisher"}, False),
        ({"fold": "s02"}, False),
        ({"scaling": "none"}, False),
        ({"settings": '{"seed": 1}'}, False),
    ],
)
def test_a_selection_is_of_a_method_a_fold_a_scaling_and_settings(
    tmp_path: Path, changes: dict[str, str], is_current: bool
) -> None:
    told = {"method": "genetic", "fold": "s01", "scaling": "standard", "settings": "{}", **changes}
    path = record(tmp_path / "s01.h5", **told)
    found = is_selected_by("genetic", "s01", GeneticSettings(), "standard", path)
    assert found == is_current


def test_a_file_that_is_not_ours_is_not_current(tmp_path: Path) -> None:
    path = tmp_path / "features.h5"
    path.touch()
    assert not is_made_by(FeatureSettings(), path)


def test_tables_are_of_folds_and_of_permutations(tmp_path: Path) -> None:
    folds = [FoldSize("fold1", 3, 9), FoldSize("fold2", 4, 8)]
    write_rows(tmp_path / "folds.tsv", FoldSize, folds)
    assert has_folds(folds, tmp_path / "folds.tsv")
    assert not has_folds(folds[:1], tmp_path / "folds.tsv")
    assert not has_permutations(range(2), tmp_path / "folds.tsv")
    assert not has_folds(folds, tmp_path / "absent.tsv")


def test_a_selection_that_does_not_name_a_bias_had_none(tmp_path: Path) -> None:
    told = {"method": "genetic", "fold": "s01", "scaling": "standard", "settings": {"seed": 0}}
    path = record(tmp_path / "s01.h5", **told)
    settings = GeneticSettings(bias=(0.3,))
    assert is_selected_by("genetic", "s01", GeneticSettings(bias=("none",)), "standard", path)
    assert not is_selected_by("genetic", "s01", settings, "standard", path)
    path = record(tmp_path / "s01.h5", **told | {"settings": json.dumps({"bias": 0.3})})
    assert is_selected_by("genetic", "s01", settings, "standard", path)
