from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.metrics import (
    METRICS,
    accuracy,
    subject_bootstrap,
    unweighted_average_recall,
    unweighted_f1,
)
from merec_hpc.report.scores import (
    by_method,
    class_names,
    score_methods,
    score_subjects,
)

SETTINGS = EvaluationSettings(n_bootstraps=50, seed=3)
SUBJECTS = ("s01", "s01", "s01", "s02", "s02", "s03")
LABELS = ("negative", "negative", "positive", "positive", "negative", "negative")
FOUND = {
    "all_features": ("negative", "positive", "positive", "positive", "negative", "positive"),
    "genetic": ("negative", "negative", "positive", "negative", "negative", "negative"),
}


def _predictions(method: str, found: Sequence[str]) -> list[Prediction]:
    return [
        Prediction(method, "linear_svm", 0, subject, subject, f"clip{number}", label, predicted)
        for number, (subject, label, predicted) in enumerate(
            zip(SUBJECTS, LABELS, found, strict=True)
        )
    ]


PREDICTIONS = [row for method, found in FOUND.items() for row in _predictions(method, found)]


def test_classes_are_those_of_labels_and_predictions_sorted() -> None:
    odd = _predictions("genetic", ("surprise", *LABELS[1:]))
    assert class_names(odd) == ["negative", "positive", "surprise"]


def test_predictions_are_grouped_by_method_and_classifier_as_they_appear() -> None:
    groups = by_method(PREDICTIONS[::-1])
    assert list(groups) == [("genetic", "linear_svm"), ("all_features", "linear_svm")]
    assert groups["genetic", "linear_svm"] == PREDICTIONS[:5:-1]


def test_scores_by_hand() -> None:
    first, second = score_methods(PREDICTIONS, SETTINGS)
    assert (first.method, first.classifier) == ("all_features", "linear_svm")
    # Negative: 2 of 4 found, none wrongly; positive: 2 of 2, 2 wrongly.
    assert first.scores["accuracy"].value == pytest.approx(4 / 6)
    assert first.scores["UF1"].value == pytest.approx((4 / 6 + 4 / 6) / 2)
    assert first.scores["UAR"].value == pytest.approx((2 / 4 + 2 / 2) / 2)
    np.testing.assert_array_equal(first.confusion, [[2, 2], [0, 2]])
    np.testing.assert_array_equal(second.confusion, [[4, 0], [1, 1]])


@pytest.mark.parametrize(
    ("name", "metric"),
    [("accuracy", accuracy), ("UF1", unweighted_f1), ("UAR", unweighted_average_recall)],
)
def test_intervals_are_those_over_resampled_subjects(name: str, metric: object) -> None:
    assert METRICS[name] is metric
    score = score_methods(PREDICTIONS, SETTINGS)[1].scores[name]
    expected = subject_bootstrap(METRICS[name], LABELS, FOUND["genetic"], SUBJECTS, 50, 3)
    assert score.interval == expected
    assert expected.low < expected.high


def test_all_methods_share_the_classes_of_the_confusion() -> None:
    odd = PREDICTIONS[:6] + _predictions("genetic", ("surprise", *LABELS[1:]))
    first, second = score_methods(odd, SETTINGS)
    np.testing.assert_array_equal(first.confusion, [[2, 2, 0], [0, 2, 0], [0, 0, 0]])
    np.testing.assert_array_equal(second.confusion, [[3, 0, 1], [0, 2, 0], [0, 0, 0]])


def test_subjects_are_scored_by_each_method_in_order_of_appearance() -> None:
    rows = score_subjects(PREDICTIONS)
    assert [(row.subject, row.n_clips) for row in rows] == [("s01", 3), ("s02", 2), ("s03", 1)]
    np.testing.assert_allclose(rows[0].accuracies, [2 / 3, 1])
    np.testing.assert_allclose(rows[1].accuracies, [1, 1 / 2])
    np.testing.assert_allclose(rows[2].accuracies, [0, 1])


def test_auc_is_that_of_the_decisions_where_all_have_some() -> None:
    rows = _predictions("genetic", LABELS)
    (without,) = score_methods(rows, SETTINGS)
    assert without.auc is None
    values = np.array([0.9, 0.1, 0.2, 0.4, 0.8, 0.6])  # for negative
    known = [
        replace(row, decisions=f"negative={value};positive={1 - value}")
        for row, value in zip(rows, values, strict=True)
    ]
    (found,) = score_methods(known, SETTINGS)
    # Of the 4 x 2 pairs of a negative and a positive clip, 6 are in order.
    assert found.auc == pytest.approx(6 / 8)


def test_a_class_that_is_predicted_without_a_label_is_no_class_of_the_scores() -> None:
    rows = _predictions("genetic", ("surprise", "negative", *FOUND["genetic"][2:]))
    (found,) = score_methods(rows, SETTINGS)
    # Negative: 3 of 4 found, one wrongly; positive: 1 of 2, none wrongly.
    assert found.scores["UF1"].value == pytest.approx((6 / 8 + 2 / 3) / 2)
    assert found.scores["UAR"].value == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found.macro.recall == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found.weighted.recall == pytest.approx(4 / 6)


def test_subjects_of_one_method_are_scored() -> None:
    rows = score_subjects(_predictions("genetic", FOUND["genetic"]))
    assert [(row.n_clips, row.accuracies) for row in rows] == [(3, [1]), (2, [0.5]), (1, [1])]


def test_label_that_no_decision_names_is_one_clear_line() -> None:
    rows = [
        Prediction("genetic", "linear_svm", 0, "s1", "s1", clip, label, "a", "a=1;b=-1")
        for clip, label in (("c1", "a"), ("c2", "z"))
    ]
    with pytest.raises(MerecError, match=r"for each class expected, found a, b and the label 'z'"):
        score_methods(rows, SETTINGS)
