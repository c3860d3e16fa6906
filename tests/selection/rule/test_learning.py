"""Rules from training clips to decisions on others: formulas, leaks, chance and refusals."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from oracles.rule import rule_decisions

from merec_hpc.metrics import unweighted_f1
from merec_hpc.selection.rule.deciding import EIGHTH
from merec_hpc.selection.rule.family import ALL_FEATURES, Family
from merec_hpc.selection.rule.inner import group_subjects
from merec_hpc.selection.rule.learning import FittedRules, fit_rules, learn_rules

QUICK = Family(C_values=(0.1, 3.0), b_values=(0.0, 0.3), p_values=(0.0, 1.0))


def people(
    rng: np.random.Generator, n_classes: int = 3, offset: float = 3.0
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.str_]]:
    """48 clips of 8 subjects who differ, all of all classes; 3 of 20 features carry the class."""
    labels = np.tile(np.arange(n_classes), 48 // n_classes)
    owners = np.repeat(np.arange(8), 6)
    values = rng.normal(size=(48, 20)) + offset * rng.normal(size=(8, 20))[owners]
    values[:, :n_classes] += 2 * np.eye(n_classes)[labels]
    return values, labels, np.array([f"s{owner}" for owner in owners])


def held_out_predictions(
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    subjects: NDArray[np.str_],
    settings: Family,
) -> NDArray[np.int64]:
    """Leave each subject out, and let the best eighth decide."""
    predicted = np.empty_like(labels)
    for subject in np.unique(subjects):
        out = subjects == subject
        training = (values[~out], labels[~out], subjects[~out])
        fitted = fit_rules(*training, learn_rules(*training, settings).best(EIGHTH))
        best = fitted.decisions(values[out], subjects[out]).argmax(axis=1)
        predicted[out] = fitted.classes[best]
    return predicted


@pytest.mark.parametrize("n_classes", [2, 3])
def test_decisions_are_the_mean_of_the_formulas_in_units_of_each_rule(
    rng: np.random.Generator, n_classes: int
) -> None:
    values, labels, subjects = people(rng, n_classes)
    values[:, 5] = 0.1
    rules = learn_rules(values, labels, subjects, QUICK).best(EIGHTH)
    fitted = fit_rules(values, labels, subjects, rules)
    wanted, owners = rng.normal(size=(7, 20)), np.array([1, 2, 1, 1, 3, 2, 2])
    told = (values.tolist(), labels.tolist(), subjects.tolist(), wanted.tolist(), owners.tolist())
    for genes, whose in ((rules.genes, owners), (rules.genes * [0, 1, 1, 1], None)):
        by_hand = [rule_decisions(*told, tuple(rule), 1) for rule in genes]  # type: ignore[arg-type]
        expected = np.mean([a / b for a, b in zip(by_hand, rules.scales, strict=True)], axis=0)
        np.testing.assert_allclose(fitted.decisions(wanted, whose), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("search", ["grid", "evolved", "random"])
def test_labels_of_the_held_out_subject_change_nothing(
    rng: np.random.Generator, search: str
) -> None:
    values, labels, subjects = people(rng)
    settings = replace(QUICK, search=search, n_individuals=6, n_generations=2)  # type: ignore[arg-type]
    out = subjects == "s3"
    found = []
    for told in (labels, np.where(out, rng.permutation(labels), labels)):
        training = (values[~out], told[~out], subjects[~out])
        fitted = fit_rules(*training, learn_rules(*training, settings).best(EIGHTH))
        found.append(fitted.decisions(values[out], subjects[out]))
    np.testing.assert_array_equal(*found)


def test_offsets_of_subjects_are_seen_through() -> None:
    rng = np.random.default_rng(3)
    table = people(rng, offset=8.0)
    rule = unweighted_f1(table[1], held_out_predictions(*table, QUICK))
    inductive = unweighted_f1(
        table[1], held_out_predictions(*table, replace(QUICK, kappa_values=(0.0,)))
    )
    assert rule > 0.75
    assert rule > inductive + 0.1


def test_labels_permuted_within_subjects_are_not_found_again() -> None:
    scores = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        values, labels, subjects = people(rng, offset=8.0)
        permuted = rng.permuted(labels.reshape(8, 6), axis=1).ravel()
        predicted = held_out_predictions(values, permuted, subjects, QUICK)
        scores.append(float((predicted == permuted).mean()))
    # 288 predictions of three classes: a standard error of .028.
    assert abs(np.mean(scores) - 1 / 3) < 3.5 * 0.028


def test_subjects_that_nobody_names_are_not_calibrated(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng)
    rules = learn_rules(values, labels, subjects, QUICK).best(EIGHTH)
    fitted = fit_rules(values, labels, subjects, rules)
    assert fitted.is_transductive
    clips = rng.normal(size=(6, 20))
    alone = np.concatenate([fitted.decisions(clip[None]) for clip in clips])
    np.testing.assert_allclose(fitted.decisions(clips), alone, rtol=1e-10, atol=1e-12)
    assert np.abs(fitted.decisions(clips, np.zeros(6)) - alone).max() > 1e-3


def test_all_features_with_an_intercept_read_nothing_of_others(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng)
    rules = learn_rules(values, labels, subjects, ALL_FEATURES).best(1 / 4)
    fitted = fit_rules(values, labels, subjects, rules)
    assert len(rules.genes) == 6
    assert not fitted.is_transductive
    clips = rng.normal(size=(6, 20))
    np.testing.assert_array_equal(fitted.decisions(clips, np.zeros(6)), fitted.decisions(clips))
    np.testing.assert_allclose(fitted.relevance, 1)


def test_relevance_is_1_on_average_and_larger_where_the_class_is(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng)
    rules = learn_rules(values, labels, subjects, replace(QUICK, p_values=(1.0, 2.0)))
    relevance = fit_rules(values, labels, subjects, rules).relevance
    assert relevance.mean() == pytest.approx(1)
    assert relevance[:3].min() > relevance[3:].max()


def test_a_feature_without_variation_has_no_say_in_others_either(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng)
    values[:, 4] = 2.5
    rules = learn_rules(values, labels, subjects, QUICK).best(EIGHTH)
    fitted = fit_rules(values, labels, subjects, rules)
    clips, owners = rng.normal(size=(4, 20)), np.zeros(4)
    others = clips.copy()
    others[:, 4] = 1e6
    np.testing.assert_array_equal(fitted.decisions(clips, owners), fitted.decisions(others, owners))


def test_names_of_classes_and_subjects_are_nothing_but_names(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng)
    numbers = np.unique(subjects, return_inverse=True)[1]
    named = np.array(["anger", "joy", "surprise"])[labels]
    fitted = []
    for whose, told in ((subjects, named), (numbers, labels)):
        rules = learn_rules(values, told, whose, QUICK).best(EIGHTH)
        fitted.append(fit_rules(values, told, whose, rules))
    first, second = (one.decisions(values[:6], np.zeros(6)) for one in fitted)
    np.testing.assert_array_equal(first, second)
    assert fitted[0].classes.tolist() == ["anger", "joy", "surprise"]


def test_folds_are_those_that_are_given(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng)
    two = learn_rules(values, labels, subjects, QUICK, group_subjects(labels, subjects, 2))
    six = learn_rules(values, labels, subjects, QUICK, group_subjects(labels, subjects, 6))
    by_default = learn_rules(values, labels, subjects, QUICK)
    np.testing.assert_array_equal(by_default.losses, six.losses)
    assert (two.losses != six.losses).all()


@pytest.mark.parametrize("what", ["labels", "subjects", "numbers", "features", "folds"])
def test_tables_that_do_not_fit_are_refused(rng: np.random.Generator, what: str) -> None:
    values, labels, subjects = people(rng)
    folds = group_subjects(labels, subjects)
    if what == "labels":
        labels = labels[1:]
    if what == "subjects":
        subjects = subjects[1:]
    if what == "numbers":
        values[3, 2] = np.nan
    if what == "features":
        values = values[:, :0]
    if what == "folds":
        folds = group_subjects(labels[6:], subjects[6:])
    with pytest.raises(ValueError, match="expected, found"):
        learn_rules(values, labels, subjects, QUICK, folds)


def test_clips_need_one_subject_each(rng: np.random.Generator) -> None:
    values, labels, subjects = people(rng)
    fitted = fit_rules(
        values, labels, subjects, learn_rules(values, labels, subjects, QUICK).best()
    )
    assert isinstance(fitted, FittedRules)
    with pytest.raises(ValueError, match="one subject for each of 4 clips"):
        fitted.decisions(values[:4], subjects[:3])
