"""The list of folds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.folds import FoldMember, FoldSize, count_folds, fold_members
from merec_hpc.dataset.sources import Folder
from merec_hpc.errors import MerecError


def clips_of(*rows: tuple[str, str]) -> list[Clip]:
    """Return clips of (subject, label)."""
    return [
        Clip(clip=f"clip{index}", subject=subject, label=label, source=Folder(f"clip{index}"))
        for index, (subject, label) in enumerate(rows)
    ]


def subject_folds(clips: list[Clip], settings: EvaluationSettings | None = None) -> list[FoldSize]:
    return count_folds(clips, fold_members(clips, settings or EvaluationSettings()))


def test_folds_stand_in_the_order_of_their_first_clips() -> None:
    clips = clips_of(("s3", "a"), ("s1", "b"), ("s3", "b"), ("s2", "a"), ("s1", "a"), ("s3", "b"))
    assert subject_folds(clips) == [
        FoldSize("s3", n_held_out=3, n_training=3),
        FoldSize("s1", n_held_out=2, n_training=4),
        FoldSize("s2", n_held_out=1, n_training=5),
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
    with pytest.raises(MerecError, match="two classes expected without fold 's2', found a"):
        subject_folds(clips)


def test_three_subjects_of_one_clip_each_suffice() -> None:
    folds = subject_folds(clips_of(("s1", "a"), ("s2", "b"), ("s3", "c")))
    assert [fold.fold for fold in folds] == ["s1", "s2", "s3"]


FOUR = EvaluationSettings(protocol="subject_folds", n_folds=4)


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=5, max_size=20))
def test_subject_folds_hold_whole_subjects_and_about_as_many_clips(counts: list[int]) -> None:
    rows = [(f"s{i:02d}", "ab"[j % 2]) for i, count in enumerate(counts) for j in range(2 * count)]
    clips = clips_of(*rows)
    members = fold_members(clips, FOUR)
    assert sorted(row.subject for row in members) == sorted({clip.subject for clip in clips})
    assert {row.fold for row in members} == {"fold1", "fold2", "fold3", "fold4"}
    sizes = [fold.n_held_out for fold in count_folds(clips, members)]
    assert sum(sizes) == len(clips)
    # No fold is larger than the smallest by more than the subject that it got last.
    assert max(sizes) - min(sizes) <= 2 * max(counts)


def test_more_folds_than_subjects_are_refused() -> None:
    clips = clips_of(("s1", "a"), ("s2", "b"), ("s3", "c"))
    with pytest.raises(MerecError, match=r"evaluation\.n_folds: at most 3, the subjects, expected"):
        fold_members(clips, FOUR)


def _split(*rows: tuple[str, str, str | None]) -> list[Clip]:
    return [
        Clip(clip=f"c{i}", subject=subject, label=label, source=Folder(f"c{i}"), split=split)
        for i, (subject, label, split) in enumerate(rows)
    ]


OFFICIAL = EvaluationSettings(protocol="official_split")
ROWS: list[tuple[str, str, str | None]] = [
    ("s1", "a", "train"),
    ("s2", "b", "train"),
    ("s3", "a", "validation"),
    ("s4", "b", "test"),
    ("s5", "a", "test"),
]


def test_official_split_holds_out_one_side_and_trains_on_the_rest() -> None:
    clips = _split(*ROWS)
    assert fold_members(clips, OFFICIAL) == [FoldMember("test", "s4"), FoldMember("test", "s5")]
    assert subject_folds(clips, OFFICIAL) == [FoldSize("test", n_held_out=2, n_training=3)]
    other = EvaluationSettings(protocol="official_split", held_out_split="validation")
    assert fold_members(clips, other) == [FoldMember("validation", "s3")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:3], "clips of split test and of others expected, found train, validation"),
        ([("s1", "a", None), ("s2", "b", None)], "expected, found none"),
        ([*ROWS, ("s4", "a", "train")], "subject 's4': clips of one side of the split expected"),
    ],
)
def test_split_that_separates_nothing_is_refused(
    rows: list[tuple[str, str, str | None]], message: str
) -> None:
    with pytest.raises(MerecError, match=message):
        fold_members(_split(*rows), OFFICIAL)


def test_fold_that_leaves_one_subject_is_refused() -> None:
    clips = clips_of(*[(f"s{i}", label) for i in range(3) for label in "ab"])
    two = EvaluationSettings(protocol="subject_folds", n_folds=2)
    with pytest.raises(MerecError, match="two subjects expected without fold 'fold1', found 1"):
        subject_folds(clips, two)
