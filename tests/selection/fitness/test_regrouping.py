"""Further groupings of subjects: balanced, distinct, the same wherever they are drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc.selection.fitness.inner_folds import InnerFolds
from merec_hpc.selection.fitness.regrouping import draw_groupings


def folds_of(counts: list[int], n_folds: int, seed: int = 0) -> InnerFolds:
    """Folds of subjects with so many clips each, in random order."""
    owners = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    names = np.array([f"s{number:02d}" for number in range(len(counts))])
    return InnerFolds.of(np.arange(len(owners)) % 2, names[owners], n_folds)


@settings(deadline=None, max_examples=40)
@given(counts=st.lists(st.integers(1, 30), min_size=4, max_size=20), n_folds=st.integers(2, 3))
def test_folds_are_groups_of_subjects_of_about_as_many_clips(
    counts: list[int], n_folds: int
) -> None:
    for grouping in draw_groupings(folds_of(counts, n_folds), 4):
        assert grouping.shape == (len(counts),)
        assert set(grouping.tolist()) == set(range(n_folds))
        sizes = np.bincount(grouping, counts)
        assert sizes.max() - sizes.min() <= max(counts)


def test_groupings_are_about_as_balanced_as_the_first() -> None:
    rng = np.random.default_rng(3)
    for seed in range(5):
        counts = rng.integers(2, 20, size=25).tolist()
        folds = folds_of(counts, 5, seed)
        first = np.bincount(folds.folds)
        for grouping in draw_groupings(folds, 6):
            sizes = np.bincount(grouping, counts)
            assert sizes.sum() == first.sum()
            assert np.ptp(sizes) <= np.ptp(first) + 6  # of 50 clips in a fold


def test_no_two_groupings_are_alike_where_there_are_others() -> None:
    folds = folds_of([3, 4, 5, 6, 7, 8], 3)
    groupings = [folds.fold_of_subjects, *draw_groupings(folds, 5)]
    together = [grouping[:, None] == grouping for grouping in groupings]  # who is with whom
    assert len({pairs.tobytes() for pairs in together}) == 5


def test_groupings_depend_on_the_names_of_subjects_alone() -> None:
    counts = [5, 5, 5, 5, 5, 5, 5, 5]
    expected = [one.tolist() for one in draw_groupings(folds_of(counts, 2), 3)]
    # The order of clips, and with it the labels of each, is another.
    assert [one.tolist() for one in draw_groupings(folds_of(counts, 2, seed=1), 3)] == expected
    # More groupings begin with the same.
    longer = draw_groupings(folds_of(counts, 2), 5)
    assert [one.tolist() for one in longer[:2]] == expected
    others = InnerFolds.of(np.arange(40) % 2, np.repeat([f"t{n}" for n in range(8)], 5), 2)
    assert [one.tolist() for one in draw_groupings(others, 3)] != expected


def test_single_subjects_are_grouped_in_one_way_only() -> None:
    folds = folds_of([2, 2, 2], 3)
    assert draw_groupings(folds, 1) == []
    with pytest.raises(ValueError, match="fewer inner folds than the 3 subjects expected for 2"):
        draw_groupings(folds, 2)
