"""What a digest notices, and what it leaves alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Folder
from merec_hpc.runs.digests import folders_digest, labels_digest, pixels_digest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "s1" / "a").mkdir(parents=True)
    (tmp_path / "s1" / "a" / "1.png").write_bytes(b"one")
    return tmp_path


CLIP = Clip("s1_a", "s1", "happy", Folder("s1/a"))


def test_pixels_do_not_depend_on_labels_apexes_and_splits(root: Path) -> None:
    other = replace(CLIP, label="sad", apex=1, split="test")
    assert pixels_digest(root, [other]) == pixels_digest(root, [CLIP])
    assert labels_digest([other]) != labels_digest([CLIP])


@pytest.mark.parametrize(
    "change", [{"clip": "s1_b"}, {"source": Folder("s1/b")}, {"onset": 1}, {"offset": 1}]
)
def test_pixels_depend_on_names_files_and_frames(root: Path, change: dict[str, object]) -> None:
    other = replace(CLIP, **change)  # type: ignore[arg-type]
    assert pixels_digest(root, [other]) != pixels_digest(root, [CLIP])
    assert change.get("clip") or labels_digest([other]) == labels_digest([CLIP])


def test_a_changed_file_changes_the_pixels(root: Path) -> None:
    before = pixels_digest(root, [CLIP])
    (root / "s1" / "a" / "1.png").write_bytes(b"other")
    assert pixels_digest(root, [CLIP]) != before


def test_a_new_folder_far_below_is_noticed_and_a_label_is_not(root: Path) -> None:
    before = folders_digest(root)
    assert folders_digest(root) == before
    (root / "s1" / "b").mkdir()
    assert folders_digest(root) != before
