"""The list of folds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.arrays import Clip
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.folds import SubjectFold, subject_folds


def clips_of(*rows: tuple[str, str]) -> list[Clip]:
    """Return clips of (subject, label)."""
    return [
        Clip(clip=f"clip{index}", subject=subject, label=label, path=f"clip{index}")
        for index, (subject, label) in enumerate(rows)
    ]


def test_folds_stand_in_the_order_of_their_first_clips() -> None:
    clips = clips_of(("s3", "a"), ("s1", "b"), ("s3", "b"), ("s2", "a"), ("s1", "a"), ("s3", "b"))
    assert subject_folds(clips) == [
        SubjectFold("s3", n_held_out=3, n_training=3),
        SubjectFold("s1", n_held_out=2, n_training=4),
        SubjectFold("s2", n_held_out=1, n_training=5),
    ]


subjects_of_clips = st.lists(st.sampled_from(["s1", "s2", "s3", "s4", "s5"]), max_size=20)


@settings(deadline=None)
@given(subjects_of_clips)
def test_every_clip_is_held_out_exactly_once(subjects: list[str]) -> None:
    complete = [("x", "a"), ("x", "b"), ("y", "a"), ("y", "b"), ("z", "a"), ("z", "b")]
    clips = clips_of(*complete, *((subject, "a") for subject in subjects))
    folds = subject_folds(clips)
    assert sorted(fold.fold for fold in folds) == sorted({clip.subject for clip in clips})
    assert sum(fold.n_held_out for fold in folds) == len(clips)
    for fold in folds:
        held_out = [clip for clip in clips if clip.subject == fold.fold]
        assert fold.n_held_out == len(held_out)
        assert fold.n_training == len(clips) - len(held_out)


@pytest.mark.parametrize("n_subjects", [0, 1, 2])
def test_fewer_than_three_subjects_are_refused(n_subjects: int) -> None:
    rows = [(f"s{index}", label) for index in range(n_subjects) for label in "ab"]
    with pytest.raises(MerecError, match=f"at least three subjects expected, found {n_subjects}"):
        subject_folds(clips_of(*rows))


def test_a_fold_whose_training_clips_show_one_class_is_refused() -> None:
    clips = clips_of(("s1", "a"), ("s2", "a"), ("s2", "b"), ("s3", "a"))
    with pytest.raises(MerecError, match="two classes expected without subject 's2', found a"):
        subject_folds(clips)


def test_three_subjects_of_one_clip_each_suffice() -> None:
    folds = subject_folds(clips_of(("s1", "a"), ("s2", "b"), ("s3", "c")))
    assert [fold.fold for fold in folds] == ["s1", "s2", "s3"]
