from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from store.stores import STORES, small_features, small_selection, write_format_1

from merec_hpc.config.faces import ClipSettings, InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.store.clips import write_clips
from merec_hpc.store.features import write_features
from merec_hpc.store.inspection import compare, inspect
from merec_hpc.store.reading import Store
from merec_hpc.store.schema import FEATURES
from merec_hpc.store.selection import SelectionOrigin, write_selection


@pytest.mark.parametrize("kind", list(STORES))
def test_every_array_of_every_kind_is_described(kind: str, tmp_path: Path) -> None:
    store, path = STORES[kind], tmp_path / "store.h5"
    store.write(path)
    lines = list(inspect(path))
    assert lines[0] == f"{path}: {kind}, version {store.spec.version}, format 2"
    for array in store.spec.arrays:
        if not array.is_optional:
            axes = ", ".join(array.axes)
            assert sum(line.startswith(f"  {array.name} ({axes}) ") for line in lines) == 1
    assert any(line.startswith("  software: ") for line in lines)
    assert list(compare(path, path)) == []


def written(path: Path, **changes: object) -> Path:
    write_features(path, replace(small_features(), **changes), FeatureSettings(), "abc")  # type: ignore[arg-type]
    return path


def test_odd_values_are_named(tmp_path: Path) -> None:
    values = small_features().values.copy()
    values[:, 1] = 7
    values[:, 3] = values[:, 0]
    values[2] = values[0]
    names = np.array(["a", "b", "", "a"])
    lines = list(inspect(written(tmp_path / "x.h5", values=values, names=names)))
    odd = lines[lines.index("odd values") + 1 :]
    assert odd == [
        "  values: 1 constant columns: 1",
        "  values: 1 columns equal to one before: 3",
        "  values: 1 rows equal to one before: 2",
        "  names: 1 empty",
        "  names: 1 more than once: a",
    ]
    values[0, 0], values[1, 0] = np.nan, np.inf
    lines = list(inspect(written(tmp_path / "x.h5", values=values)))
    assert "  values: 1 NaN" in lines
    assert "  values: 1 infinite" in lines
    assert list(inspect(written(tmp_path / "x.h5")))[-1] == "odd values: none"


def test_statistics_are_of_the_values(tmp_path: Path) -> None:
    values = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], np.float32)
    lines = list(inspect(written(tmp_path / "x.h5", values=values)))
    assert "  values (clip, feature) 3 x 4 float32, 1 to 12, mean 6.5" in lines
    assert "  subjects (clip) 3 texts, 2 different, 's01' to 's02'" in lines


def test_differences_are_told(tmp_path: Path) -> None:
    one = written(tmp_path / "one.h5")
    values = small_features().values.copy()
    values[1, 2] += 0.5
    two = written(tmp_path / "two.h5", values=values, clips=np.array(["x", "y", "z"]))
    first, second = compare(one, two)
    assert first.startswith("clips: 3 of 3 differ, first at (0,): s1_ne_01 | x")
    assert second.startswith("values: 1 of 12 differ, first at (1, 2): ")
    assert second.endswith(", at most by 0.5")
    fewer = small_features().with_features(np.array([True, True, False, True]))
    write_features(two, fewer, FeatureSettings(extractor="lbp"), "abc")
    told = list(compare(one, two))
    assert any(line.startswith("settings: ") for line in told)
    assert "values: (3, 4) | (3, 3)" in told


def test_files_of_two_kinds_are_not_compared_and_others_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "one.h5")
    STORES["selection"].write(tmp_path / "two.h5")
    with pytest.raises(
        MerecError, match=r"two\.h5: a features file expected, found kind selection"
    ):
        list(compare(one, tmp_path / "two.h5"))
    with pytest.raises(MerecError, match=r"absent\.h5: expected a store, found no such file"):
        list(inspect(tmp_path / "absent.h5"))
    with h5py.File(tmp_path / "other.h5", "w", libver=("v110", "v110")) as file:
        file["x"] = 1
    with pytest.raises(MerecError, match=r"other\.h5: a store expected, found an HDF5 file of ano"):
        list(inspect(tmp_path / "other.h5"))


def test_a_file_of_format_1_says_so(tmp_path: Path) -> None:
    write_format_1(written(tmp_path / "new.h5"), tmp_path / "old.h5", FEATURES)
    assert next(inspect(tmp_path / "old.h5")).endswith("features, version 1, format 1")


def test_masks_differ_by_bits_and_by_their_number(tmp_path: Path) -> None:
    origin = SelectionOrigin("genetic", "s03", 7, "{}", "standard")
    plain, paths = small_selection(), [tmp_path / "one.h5", tmp_path / "two.h5"]
    mask = plain.mask.copy()
    mask[4] ^= True
    write_selection(paths[0], plain, origin)
    write_selection(paths[1], replace(plain, mask=mask), origin)
    (line,) = compare(*paths)
    assert line == f"mask: 1 of 13 differ, first at (4,): {plain.mask[4]} | {mask[4]}"


def test_frames_are_described_and_compared_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one.h5", tmp_path / "two.h5"
    frames = np.zeros((2, 3, 4, 4, 3), np.float32)
    frames[1, 2, 3, 0, 1] = 200
    settings = ClipSettings(keep=True, format="uint8")
    for path, kept in ((one, frames), (two, frames / 2)):
        names = np.array(["a", "b"])
        write_clips(path, names, iter(kept), InterpolationSettings(n_frames=3), settings)
    own = Store.array
    monkeypatch.setattr(Store, "array", lambda self, name: {"clips": own}[name](self, name))
    told = next(line for line in inspect(one) if line.startswith("  frames"))
    assert told.endswith("2 x 3 x 4 x 4 x 3 uint8, 0 to 200, mean 0.694444")
    assert list(compare(one, two)) == [
        "frames: 1 of 288 differ, first at (1, 2, 3, 0, 1): 200 | 100, at most by 100"
    ]


def test_what_is_no_number_on_one_side_alone_differs(tmp_path: Path) -> None:
    values = small_features().values.copy()
    values[0, 0] = np.nan
    one, two = written(tmp_path / "one.h5", values=values), written(tmp_path / "two.h5")
    (line,) = compare(one, two)
    assert line.startswith("values: 1 of 12 differ, first at (0, 0): nan | ")
    assert list(compare(one, one)) == []
