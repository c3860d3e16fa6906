"""Paired comparisons: against brute force, against examples by hand, and their laws."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.evaluation.comparison import Comparison, compare_methods, holm
from merec_hpc.metrics import (
    METRICS,
    Metric,
    accuracy,
    subject_bootstrap,
    unweighted_average_recall,
    unweighted_f1,
)

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
Drawn = tuple[NDArray[np.int64], NDArray[np.int64], dict[str, NDArray[np.int64]]]


def draw(
    rng: np.random.Generator, n_subjects: int, skills: tuple[float, ...] = (0.7, 0.5, 0.3)
) -> Drawn:
    """Labels, subjects and the predictions of methods that know some of the labels."""
    subjects = np.repeat(np.arange(n_subjects), 5)
    labels = rng.integers(3, size=len(subjects))
    predictions = {
        f"m{number}": np.where(
            rng.random(len(labels)) < skill, labels, rng.integers(3, size=len(labels))
        )
        for number, skill in enumerate(skills)
    }
    return labels, subjects, predictions


def brute_force_p(drawn: Drawn, metric: Metric) -> float:
    """Swap the predictions of the first two methods in every way, clip by clip."""
    labels, subjects, predictions = drawn
    one, two = predictions["m0"], predictions["m1"]
    value = metric
    observed = abs(value(labels, one) - value(labels, two))
    n_extreme = n_ways = 0
    for swapped in product([False, True], repeat=len(np.unique(subjects))):
        is_swapped = np.array(swapped)[subjects]
        difference = value(labels, np.where(is_swapped, two, one)) - value(
            labels, np.where(is_swapped, one, two)
        )
        n_extreme += abs(difference) >= observed - 1e-9
        n_ways += 1
    return n_extreme / n_ways


def compare_two(drawn: Drawn, metric: Metric, n_resamples: int = 200) -> Comparison:
    labels, subjects, predictions = drawn
    two = {name: predictions[name] for name in ("m0", "m1")}
    (row,) = compare_methods(labels, subjects, two, metric, n_resamples, seed=0)
    return row


@every_metric
@pytest.mark.parametrize("n_subjects", [1, 5, 30])
def test_identical_methods_do_not_differ(
    rng: np.random.Generator, metric: Metric, n_subjects: int
) -> None:
    labels, subjects, predictions = draw(rng, n_subjects)
    twins = {"one": predictions["m0"], "two": predictions["m0"].copy()}
    (row,) = compare_methods(labels, subjects, twins, metric, 100, seed=0)
    assert (row.method, row.other) == ("one", "two")
    assert row.difference == row.interval.low == row.interval.high == 0.0
    assert row.p_value == row.corrected_p_value == 1.0


@every_metric
@pytest.mark.parametrize("n_subjects", [6, 30])
def test_the_other_way_round_is_the_same_with_the_other_sign(
    rng: np.random.Generator, metric: Metric, n_subjects: int
) -> None:
    labels, subjects, predictions = draw(rng, n_subjects)
    there = compare_methods(labels, subjects, predictions, metric, 150, seed=4)
    turned = dict(reversed(predictions.items()))
    back = compare_methods(labels, subjects, turned, metric, 150, seed=4)
    for row, other in zip(there, [back[2], back[1], back[0]], strict=True):
        assert (row.method, row.other) == (other.other, other.method)
        assert row.difference == -other.difference
        assert row.interval.low == pytest.approx(-other.interval.high)
        assert row.interval.high == pytest.approx(-other.interval.low)
        assert row.p_value == other.p_value
        assert row.corrected_p_value == other.corrected_p_value


@every_metric
def test_the_difference_is_that_of_the_metric(rng: np.random.Generator, metric: Metric) -> None:
    labels, subjects, predictions = draw(rng, 8)
    value = metric
    for row in compare_methods(labels, subjects, predictions, metric, 50, seed=0):
        expected = value(labels, predictions[row.method]) - value(labels, predictions[row.other])
        assert row.difference == pytest.approx(expected)


@every_metric
def test_the_interval_is_that_over_the_same_subjects_for_both(
    rng: np.random.Generator, metric: Metric
) -> None:
    labels, subjects, predictions = draw(rng, 7)
    drawn = np.random.default_rng(np.random.SeedSequence(9)).integers(7, size=(60, 7))
    differences = []
    for owners in drawn:
        rows = np.concatenate([np.flatnonzero(subjects == owner) for owner in owners])
        one, two = (metric(labels[rows], predictions[name][rows]) for name in ("m0", "m1"))
        differences.append(one - two)
    row = compare_methods(labels, subjects, predictions, metric, 60, seed=9)[0]
    low, high = np.percentile(differences, [2.5, 97.5])
    assert (row.interval.low, row.interval.high) == pytest.approx((low, high))


def test_against_what_is_always_wrong_the_interval_is_that_of_the_metric(
    rng: np.random.Generator,
) -> None:
    labels, subjects, predictions = draw(rng, 7)
    both = {"m0": predictions["m0"], "wrong": np.full(len(labels), -1)}
    (row,) = compare_methods(labels, subjects, both, unweighted_average_recall, 60, seed=9)
    expected = subject_bootstrap(
        unweighted_average_recall, labels, predictions["m0"], subjects, 60, seed=9
    )
    assert (row.interval.low, row.interval.high) == pytest.approx((expected.low, expected.high))


@every_metric
@pytest.mark.parametrize("n_subjects", [1, 2, 6, 9])
def test_p_is_that_of_brute_force_for_few_subjects(
    rng: np.random.Generator, metric: Metric, n_subjects: int
) -> None:
    drawn = draw(rng, n_subjects)
    assert compare_two(drawn, metric).p_value == brute_force_p(drawn, metric)


def test_p_by_hand() -> None:
    # One method is right about all four subjects, the other about none: of 16 ways of
    # swapping, none swapped and all swapped differ as much.
    both = {"right": [0, 1, 0, 1], "wrong": [1, 0, 1, 0]}
    (row,) = compare_methods([0, 1, 0, 1], list("abcd"), both, accuracy, 10, seed=0)
    assert (row.difference, row.p_value) == (1.0, 2 / 16)


def test_subjects_about_whom_methods_agree_leave_p_exact(rng: np.random.Generator) -> None:
    labels, subjects, predictions = draw(rng, 10)
    few = compare_two((labels, subjects, predictions), unweighted_f1)
    more_labels = np.concatenate([labels, np.tile([0, 1, 2, 1, 0], 20)])
    more_subjects = np.concatenate([subjects, np.repeat(np.arange(10, 30), 5)])
    agreeing = {
        name: np.concatenate([found, np.tile([0, 2, 2, 1, 1], 20)])
        for name, found in predictions.items()
    }
    more = compare_two((more_labels, more_subjects, agreeing), unweighted_f1)
    assert more.p_value * 2**10 == int(more.p_value * 2**10)
    assert few.p_value * 2**10 == int(few.p_value * 2**10)


def test_p_of_drawn_swaps_is_close_to_that_of_all(rng: np.random.Generator) -> None:
    drawn = draw(rng, 13, skills=(0.6, 0.5))
    expected = brute_force_p(drawn, unweighted_average_recall)
    assert 0.05 < expected < 0.95
    assert compare_two(drawn, unweighted_average_recall, 20_000).p_value == pytest.approx(
        expected, abs=0.015
    )


def test_p_is_never_zero() -> None:
    labels = np.zeros(40, np.int64)
    both = {"right": labels, "wrong": labels + 1}
    (row,) = compare_methods(labels, np.arange(40), both, accuracy, 99, seed=0)
    assert row.p_value == 1 / 100


def test_methods_that_are_alike_seldom_differ_significantly(rng: np.random.Generator) -> None:
    n_found = sum(
        compare_two(draw(rng, 8, skills=(0.5, 0.5)), unweighted_f1, 10).p_value <= 0.05
        for _ in range(200)
    )
    assert n_found / 200 <= 0.09  # 0.05 and 2.6 standard errors


@every_metric
def test_the_seed_alone_decides(rng: np.random.Generator, metric: Metric) -> None:
    labels, subjects, predictions = draw(rng, 30, skills=(0.6, 0.5))
    one, again, other = (
        compare_methods(labels, subjects, predictions, metric, 1999, seed) for seed in (1, 1, 2)
    )
    assert one == again
    assert one[0].interval != other[0].interval
    assert one[0].p_value != other[0].p_value
    assert one[0].difference == other[0].difference


def test_the_order_of_clips_does_not_matter(rng: np.random.Generator) -> None:
    labels, subjects, predictions = draw(rng, 20)
    order = rng.permutation(len(labels))
    shuffled = {name: found[order] for name, found in predictions.items()}
    assert compare_methods(
        labels[order], subjects[order], shuffled, unweighted_f1, 50, seed=0
    ) == compare_methods(labels, subjects, predictions, unweighted_f1, 50, seed=0)


def test_names_of_classes_do_not_matter(rng: np.random.Generator) -> None:
    labels, subjects, predictions = draw(rng, 20)
    names = np.array(["positive", "negative", "surprise"])
    named = {method: names[found] for method, found in predictions.items()}
    rows = compare_methods(labels, subjects, predictions, accuracy, 50, seed=0)
    assert compare_methods(names[labels], subjects, named, accuracy, 50, seed=0) == rows


def test_without_a_reference_all_pairs_are_compared(rng: np.random.Generator) -> None:
    rows = compare_methods(*draw(rng, 6), accuracy, 20, seed=0)
    assert [(row.method, row.other) for row in rows] == [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]
    assert [row.corrected_p_value for row in rows] == holm([row.p_value for row in rows])


def test_with_a_reference_each_other_method_is_compared_with_it(rng: np.random.Generator) -> None:
    drawn = draw(rng, 6)
    rows = compare_methods(*drawn, accuracy, 20, seed=0, reference="m1")
    assert [(row.method, row.other) for row in rows] == [("m0", "m1"), ("m2", "m1")]
    assert [row.corrected_p_value for row in rows] == holm([row.p_value for row in rows])
    pairs = compare_methods(*drawn, accuracy, 20, seed=0)
    assert rows[0].p_value == pairs[0].p_value
    assert rows[1].p_value == pairs[2].p_value


def test_holm_is_that_worked_out_by_hand() -> None:
    # Ascending 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1; none below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize(
    ("raw", "corrected"), [([], []), ([0.2], [0.2]), ([0.6, 0.7], [1, 1]), ([0.1] * 3, [0.3] * 3)]
)
def test_holm_of_few_of_large_and_of_equal_p(raw: list[float], corrected: list[float]) -> None:
    assert holm(raw) == pytest.approx(corrected)


def test_fewer_than_two_methods_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least two methods expected, found \['lone'\]"):
        compare_methods([0, 1], ["x", "y"], {"lone": [0, 1]}, accuracy, 10, seed=0)


def test_an_unknown_reference_is_refused() -> None:
    both = {"one": [0, 1], "two": [1, 1]}
    with pytest.raises(ValueError, match="a reference among one, two expected, found 'three'"):
        compare_methods([0, 1], ["x", "y"], both, accuracy, 10, seed=0, reference="three")


@pytest.mark.parametrize(("subjects", "found"), [(["x"], [0, 1]), (["x", "y"], [0])])
def test_what_is_not_of_one_length_is_refused(subjects: list[str], found: list[int]) -> None:
    both = {"one": [0, 1], "two": found}
    with pytest.raises(ValueError, match="one prediction and one subject per label expected"):
        compare_methods([0, 1], subjects, both, accuracy, 10, seed=0)
