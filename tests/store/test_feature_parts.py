"""Features of subjects that are kept, and found again while nothing has changed."""

from pathlib import Path

import numpy as np
import pytest

from merec_hpc.files.digest import sha256
from merec_hpc.records import FeaturePart
from merec_hpc.store.feature_parts import FeatureParts

PART = FeaturePart(
    values=np.arange(6, dtype=np.float32).reshape(2, 3),
    names=np.array(["a", "b", "c"]),
    clips=np.array(["clip1", "clip2"]),
)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    path = tmp_path / "s01.h5"
    path.write_bytes(b"frames")
    return path


def test_a_part_reads_back(tmp_path: Path, clips: Path) -> None:
    parts = FeatureParts(tmp_path / "parts", "settings")
    assert parts.read(parts.path(clips, "", sha256(clips))) is None
    parts.write(parts.path(clips, "", sha256(clips)), PART)
    found = parts.read(parts.path(clips, "", sha256(clips)))
    assert found is not None
    np.testing.assert_array_equal(found.values, PART.values)
    assert (found.names.tolist(), found.clips.tolist()) == (["a", "b", "c"], ["clip1", "clip2"])


def test_other_settings_frames_or_apexes_do_not_find_it(tmp_path: Path, clips: Path) -> None:
    parts, others = (FeatureParts(tmp_path / "parts", key) for key in ("settings", "others"))
    parts.write(parts.path(clips, "apex 3", sha256(clips)), PART)
    assert parts.read(parts.path(clips, "apex 3", sha256(clips))) is not None
    assert parts.read(parts.path(clips, "apex 4", sha256(clips))) is None
    assert others.read(others.path(clips, "apex 3", sha256(clips))) is None
    clips.write_bytes(b"other frames")
    assert parts.read(parts.path(clips, "apex 3", sha256(clips))) is None


def test_former_parts_of_a_subject_are_removed_and_others_kept(tmp_path: Path, clips: Path) -> None:
    other = tmp_path / "s01.b.h5"
    other.write_bytes(b"frames")
    for key in ("former", "settings"):
        parts = FeatureParts(tmp_path / "parts", key)
        parts.write(parts.path(clips, "", sha256(clips)), PART)
        parts.write(parts.path(other, "", sha256(other)), PART)
    assert len(list((tmp_path / "parts").iterdir())) == 2
    assert parts.read(parts.path(clips, "", sha256(clips))) is not None
    assert parts.read(parts.path(other, "", sha256(other))) is not None


@pytest.mark.parametrize("content", [b"", b"nothing", "half", "flipped"])
def test_a_damaged_part_counts_as_none(tmp_path: Path, clips: Path, content: bytes | str) -> None:
    parts = FeatureParts(tmp_path / "parts", "settings")
    path = parts.path(clips, "", sha256(clips))
    parts.write(path, PART)
    whole = path.read_bytes()
    if content == "half":
        content = whole[: len(whole) // 2]
    elif content == "flipped":
        place = whole.index(PART.values.tobytes())
        content = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    assert isinstance(content, bytes)
    path.write_bytes(content)
    assert parts.read(path) is None
