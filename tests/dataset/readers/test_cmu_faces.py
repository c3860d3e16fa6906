from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from merec_hpc.config.datasets import CmuFacesSettings
from merec_hpc.dataset.audit import audit
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.frames import read_frames
from merec_hpc.dataset.readers import cmu_faces as reader
from merec_hpc.dataset.schemes import SCHEMES
from merec_hpc.dataset.sources import Images
from merec_hpc.errors import MerecError

CMU_FACES_3 = SCHEMES["cmu-faces-3"].classes

EXPRESSIONS = ("neutral", "angry", "happy", "sad")
POSES, EYES = ("left", "right", "straight", "up"), ("open", "sunglasses")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Two complete subjects, with the half- and quarter-size copies of the release."""
    for subject in ("an2i", "boland"):
        for pose in POSES:
            for expression in EXPRESSIONS:
                for eyes in EYES:
                    for copy in ("", "_2", "_4"):
                        _image(tmp_path, f"{subject}_{pose}_{expression}_{eyes}{copy}").touch()
    return tmp_path


def test_clip_is_the_pair_neutral_expression(release: Path) -> None:
    clips = reader.list_clips(release, ["straight"], ["open"])
    assert clips[1] == Clip(
        clip="an2i_straight_happy_open",
        subject="an2i",
        label="happy",
        source=Images(
            ("faces/an2i/an2i_straight_neutral_open.pgm", "faces/an2i/an2i_straight_happy_open.pgm")
        ),
    )


def test_clips_are_sorted_by_subject_and_class(release: Path) -> None:
    clips = reader.list_clips(release, ["straight"], ["open"])
    assert [(clip.subject, clip.label) for clip in clips] == [
        (subject, label) for subject in ("an2i", "boland") for label in CMU_FACES_3
    ]


@pytest.mark.parametrize(
    ("poses", "eyes", "n_clips"),
    [
        (("straight",), ("open",), 6),
        (("left", "up"), ("open",), 12),
        (("straight",), ("sunglasses",), 6),
        (POSES, EYES, 48),
    ],
)
def test_poses_and_eyes_choose_the_clips(
    release: Path, poses: Sequence[str], eyes: Sequence[str], n_clips: int
) -> None:
    clips = reader.list_clips(release, poses, eyes)
    assert len({clip.clip for clip in clips}) == len(clips) == n_clips
    for clip in clips:
        _, pose, _, covering = clip.clip.split("_")
        neutral, expressive = clip.source.text.split(";")
        assert pose in poses
        assert covering in eyes
        assert neutral == expressive.replace(f"_{clip.label}_", "_neutral_")


def test_missing_expression_is_no_clip(release: Path) -> None:
    _image(release, "an2i_straight_sad_open").unlink()
    names = [clip.clip for clip in reader.list_clips(release, ["straight"], ["open"])]
    assert len(names) == 5
    assert "an2i_straight_sad_open" not in names


def test_image_marked_bad_is_no_clip(release: Path) -> None:
    image = _image(release, "an2i_straight_sad_open")
    image.rename(image.with_name(image.name + ".bad"))
    names = [clip.clip for clip in reader.list_clips(release, ["straight"], ["open"])]
    assert "an2i_straight_sad_open" not in names


def test_missing_neutral_face_is_found_by_the_audit(release: Path) -> None:
    neutral = _image(release, "boland_straight_neutral_open")
    neutral.unlink()
    clips = reader.list_clips(release, ["straight"], ["open"])
    assert len(clips) == 6
    faults = audit(release, clips, CMU_FACES_3)
    assert [fault.clip for fault in faults] == [
        f"boland_straight_{label}_open" for label in CMU_FACES_3
    ]
    assert {fault.consequence for fault in faults} == {"clip left out"}
    assert all(str(neutral) in fault.fault for fault in faults)


def test_folder_of_faces_may_be_given(release: Path) -> None:
    clips = reader.list_clips(release / "faces", ["straight"], ["open"])
    assert clips[0].source.text.startswith("an2i/an2i_straight_neutral_open.pgm;")


def test_folder_without_faces_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SMIC_all_raw").mkdir()
    with pytest.raises(MerecError, match=r"an2i_straight_happy_open\.pgm expected, found none"):
        reader.list_clips(tmp_path, ["straight"], ["open"])


def test_real_release_has_58_clips_of_20_subjects(cmu_faces: Path) -> None:
    clips = _defaults(cmu_faces)
    assert len(clips) == 58
    assert len({clip.subject for clip in clips}) == 20
    assert set(Counter(clip.label for clip in clips)) == set(CMU_FACES_3)
    assert audit(cmu_faces, clips, CMU_FACES_3) == []


def test_real_clip_is_two_photographs_of_one_size(cmu_faces: Path) -> None:
    frames = read_frames(cmu_faces, _defaults(cmu_faces)[0])
    assert frames.shape == (2, 120, 128, 3)
    assert (frames[0] != frames[1]).any()


def _defaults(root: Path) -> list[Clip]:
    return reader.list_clips(root, CmuFacesSettings().poses, CmuFacesSettings().eyes)


def _image(root: Path, name: str) -> Path:
    path = root / "faces" / name.partition("_")[0] / f"{name}.pgm"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
