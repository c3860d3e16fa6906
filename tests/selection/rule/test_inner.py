"""Rules on inner folds: against plain loops, and what must have no part in them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.rule import rule_decisions

from merec_hpc.selection.rule.family import Family, grid_of
from merec_hpc.selection.rule.inner import group_subjects, left_out_decisions

GENES = [(0.0, 0.0, 0.0, 1.0), (1.0, 0.5, 0.3, 0.03), (0.3, 2.0, 0.0, 30.0), (1.0, 0.5, 0.0, 3.0)]


def people(
    rng: np.random.Generator, n_classes: int, n_features: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """24 clips of 5 subjects who differ; the first two features carry the class."""
    labels = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=24 - n_classes)])
    subjects = np.concatenate([np.arange(20) % 5, rng.integers(5, size=4)])
    values = rng.normal(size=(24, n_features)) + 2 * rng.normal(size=(5, n_features))[subjects]
    values[:, :2] += labels[:, None]
    values[:, -1] = 0.3
    return values, labels, subjects


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**32), st.integers(2, 3), st.sampled_from([4, 40]), st.integers(1, 4))
def test_decisions_are_those_of_the_formulas(
    seed: int, n_classes: int, n_features: int, min_clips: int
) -> None:
    values, labels, subjects = people(np.random.default_rng(seed), n_classes, n_features)
    folds = group_subjects(labels, subjects, 3)
    fold_of = np.empty_like(labels)
    fold_of[folds.order] = folds.folds
    found = left_out_decisions(values, subjects, np.array(GENES), folds, min_clips)
    for fold in range(3):
        out = fold_of == fold
        known = sorted(set(labels[~out].tolist()))
        parts = (values[~out], labels[~out], subjects[~out], values[out], subjects[out])
        told = [part.tolist() for part in parts]
        for rule, genes in enumerate(GENES):
            expected = np.full((out.sum(), n_classes), -np.inf)
            expected[:, known] = rule_decisions(*told, genes, min_clips)
            np.testing.assert_allclose(found[rule, out], expected, rtol=1e-6, atol=1e-6)


def test_labels_of_left_out_clips_have_no_part_in_their_decisions(
    rng: np.random.Generator,
) -> None:
    values, labels, subjects = people(rng, 3, 30)
    folds = group_subjects(labels, subjects, 5)
    genes = grid_of(Family(C_values=(1.0,)))
    before = left_out_decisions(values, subjects, genes, folds, 1)
    for fold in range(folds.n_folds):
        out = folds.folds == fold
        destroyed = np.where(out, rng.permutation((folds.labels + 1) % 3), folds.labels)
        other = replace(folds, labels=destroyed)
        after = left_out_decisions(values, subjects, genes, other, 1)
        clips = folds.order[out]
        np.testing.assert_array_equal(after[:, clips], before[:, clips])
        assert (after != before).any()


def test_features_of_left_out_clips_have_no_part_in_decisions_on_other_subjects(
    rng: np.random.Generator,
) -> None:
    values, labels, subjects = people(rng, 3, 30)
    folds = group_subjects(labels, subjects, 2)
    genes = grid_of(Family(C_values=(1.0,)))
    before = left_out_decisions(values, subjects, genes, folds, 1)
    fold = folds.order[folds.folds == 0]
    one, *others = np.unique(subjects[fold])
    assert others
    values[subjects == one] *= -7
    after = left_out_decisions(values, subjects, genes, folds, 1)
    kept, changed = fold[subjects[fold] != one], fold[subjects[fold] == one]
    np.testing.assert_allclose(after[:, kept], before[:, kept], rtol=1e-9, atol=1e-9)
    assert (np.abs(after[:, changed] - before[:, changed]).max(axis=(1, 2)) > 1e-3).all()


def test_a_class_that_was_not_trained_is_never_decided_for(rng: np.random.Generator) -> None:
    values, subjects = rng.normal(size=(12, 4)), np.repeat(np.arange(4), 3)
    labels = np.where(subjects == 3, 2, np.arange(12) % 2)
    folds = group_subjects(labels, subjects)
    found = left_out_decisions(values, subjects, np.array(GENES), folds, 1)
    assert np.isneginf(found[:, subjects == 3, 2]).all()
    assert np.isfinite(found[:, subjects != 3]).all()


def test_a_fold_with_one_class_left_to_train_is_decided_for_that_class(
    rng: np.random.Generator,
) -> None:
    values, labels = rng.normal(size=(8, 4)), np.repeat([0, 1], 4)
    found = left_out_decisions(
        values, labels, np.array([(1.0, 2.0, 0.3, 1.0)]), group_subjects(labels, labels), 1
    )
    assert found[0].argmax(axis=1).tolist() == [1] * 4 + [0] * 4


def test_groups_are_at_most_as_many_as_subjects() -> None:
    labels, subjects = np.arange(16) % 2, np.arange(16) // 4
    assert group_subjects(labels, subjects).n_folds == 4
    assert group_subjects(labels, subjects, 2).n_folds == 2
    with pytest.raises(ValueError, match="two subjects"):
        group_subjects(labels, np.zeros(16))
