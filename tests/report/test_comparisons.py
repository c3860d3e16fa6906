from dataclasses import replace

import numpy as np
import pytest
from report.test_scores import PREDICTIONS, SETTINGS

from merec_hpc.errors import MerecError
from merec_hpc.evaluation.comparison import compare_methods
from merec_hpc.metrics import METRICS
from merec_hpc.records import History, Population, Selection
from merec_hpc.report.comparisons import compare_with, describe_stability


def test_methods_are_compared_with_the_first() -> None:
    rows = compare_with(PREDICTIONS, None, SETTINGS)
    assert [(row.metric, row.method, row.reference) for row in rows] == [
        (metric, "genetic", "all_features") for metric in METRICS
    ]
    accuracy = rows[0]
    assert accuracy.difference == pytest.approx(5 / 6 - 4 / 6)
    assert accuracy.low <= accuracy.difference <= accuracy.high


def test_clips_are_matched_by_name_not_by_place() -> None:
    n_clips = len(PREDICTIONS) // 2
    shuffled = [*PREDICTIONS[:n_clips], *PREDICTIONS[n_clips:][::-1]]
    assert compare_with(shuffled, None, SETTINGS) == compare_with(PREDICTIONS, None, SETTINGS)


def test_another_reference_turns_the_difference_round() -> None:
    (forth, *_), (back, *_) = (
        compare_with(PREDICTIONS, name, SETTINGS) for name in (None, "genetic")
    )
    assert (back.method, back.reference) == ("all_features", "genetic")
    assert back.difference == pytest.approx(-forth.difference)
    assert back.p_value == forth.p_value


def test_figures_are_those_of_the_comparison() -> None:
    labels = [row.label for row in PREDICTIONS[:6]]
    subjects = [row.subject for row in PREDICTIONS[:6]]
    found = {
        name: [row.predicted for row in PREDICTIONS if row.method == name]
        for name in ("all_features", "genetic")
    }
    (expected,) = compare_methods(
        labels,
        subjects,
        found,
        METRICS["UAR"],
        SETTINGS.n_bootstraps,
        SETTINGS.seed,
        "all_features",
    )
    row = compare_with(PREDICTIONS, None, SETTINGS)[list(METRICS).index("UAR")]
    assert (row.difference, row.p_value) == (expected.difference, expected.p_value)
    assert row.corrected_p_value == expected.corrected_p_value


@pytest.mark.parametrize(
    ("rows", "reference", "message"),
    [
        (PREDICTIONS, "forward", "a method of all_features, genetic expected, found 'forward'"),
        (PREDICTIONS[:-1], None, "genetic: predictions of the 6 clips of all_features expected"),
    ],
)
def test_mistake_is_named(rows: list, reference: str | None, message: str) -> None:
    with pytest.raises(MerecError, match=message):
        compare_with(rows, reference, SETTINGS)


def test_one_method_is_compared_with_nothing() -> None:
    assert compare_with(PREDICTIONS[:6], None, SETTINGS) == []


def _selection(mask: list[bool]) -> Selection:
    masks, one = np.array([mask]), np.ones(1)
    population = Population(masks, one, one, one)
    sizes = masks.sum(axis=1)
    history = History(one, one, one, sizes, sizes, masks, one, one)
    return Selection(masks[0], 1.0, 1.0, 1.0, 0, history, population, population)


def test_stability_is_of_selectors_that_leave_features_out() -> None:
    same = [True, True, False, False]
    selections = {
        "all_features": {name: _selection([True] * 4) for name in "ab"},
        "genetic": {name: _selection(same) for name in "ab"},
        "fisher": {"a": _selection(same), "b": _selection([True, False, False, False])},
        "one fold": {"a": _selection(same)},
    }
    genetic, fisher = describe_stability(selections)
    assert genetic == replace(genetic, selector="genetic", fewest=2, most=2, jaccard=1.0)
    assert (genetic.kuncheva, genetic.nogueira) == (pytest.approx(1), pytest.approx(1))
    assert (fisher.selector, fisher.fewest, fisher.most) == ("fisher", 1, 2)
    assert fisher.jaccard == pytest.approx(0.5)
    assert np.isnan(fisher.kuncheva)
