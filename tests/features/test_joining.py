"""Features of subjects become those of all clips, in the catalog's order."""

from pathlib import Path

import numpy as np
import pytest

from merec_hpc.dataset.catalog import write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError
from merec_hpc.features.joining import joined_features
from merec_hpc.records import FeaturePart


def _part(*clips: str, names: tuple[str, ...] = ("a", "b")) -> FeaturePart:
    values = np.array([[float(clip[1:])] * len(names) for clip in clips], np.float32)
    return FeaturePart(values, np.array(names), np.array(clips))


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    clips = [Clip(f"c{place}", f"s{place % 2}", "yx"[place % 2], Folder("x")) for place in range(4)]
    write_catalog(tmp_path / "clips.tsv", clips)
    return tmp_path / "clips.tsv"


def test_rows_stand_in_the_catalog_s_order(catalog: Path) -> None:
    found = joined_features(catalog, [_part("c3", "c1"), _part("c0")])
    assert found.clips.tolist() == ["c0", "c1", "c3"]
    assert found.values[:, 0].tolist() == [0, 1, 3]
    assert found.subjects.tolist() == ["s0", "s1", "s1"]
    assert found.class_names[found.labels].tolist() == ["y", "x", "x"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([_part("c0"), _part("c7")], "clip 'c7' expected, found no such row"),
        ([_part("c0"), _part("c1", "c0")], "each clip once expected, found 'c0' in several"),
        ([_part("c0"), _part("c1", names=("a", "c"))], "faces of one size expected"),
        ([_part("c0"), _part("c1", names=("a",))], "of clip 'c1', found 1 others"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    catalog: Path, parts: list[FeaturePart], said: str
) -> None:
    with pytest.raises(MerecError, match=said):
        joined_features(catalog, parts)
