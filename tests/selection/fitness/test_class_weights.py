"""Weights of classes against LIBLINEAR's own."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from liblinear.liblinearutil import parameter, problem, train
from numpy.typing import NDArray

from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features
from merec_hpc.selection.fitness.class_weights import ClassWeightFitness, weights_by_class
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


def relabelled(features: Features, n_classes: int) -> Features:
    """Of three classes the last is shown by subject s02 alone: one fold trains two of them."""
    labels = np.where(np.arange(24) % 4 == 0, 1, 0)
    if n_classes == 3:
        labels[np.flatnonzero(features.subjects == "s02")[:2]] = 2
    return replace(features, labels=labels)


def refit(data: Features, C: float, weights: dict[int, float], scaling: Any) -> NDArray[np.float64]:
    """Return decisions, (n_clips, n_classes), by a refit without each subject."""
    decisions = np.full((24, data.labels.max() + 1), -np.inf)
    for subject in np.unique(data.subjects):
        held_out = data.subjects == subject
        values = Scaling.fit(data.values[~held_out], scaling).apply(data.values)
        given = " ".join(f"-w{kind} {weight!r}" for kind, weight in weights.items())
        model = train(
            problem(data.labels[~held_out].astype(float), np.ascontiguousarray(values[~held_out])),
            parameter(f"-s 1 -B -1 -e 1e-10 -q -c {C} {given}"),
        )
        names = [int(name) for name in model.get_labels()]
        for machine, kind in enumerate(names if len(names) > 2 else names[:1]):
            decisions[held_out, kind] = values[held_out] @ model.get_decfun(machine)[0]
        if len(names) == 2:
            decisions[held_out, names[1]] = -decisions[held_out, names[0]]
    return decisions


@pytest.mark.parametrize("C", [0.01, 1.0])
@pytest.mark.parametrize("scaling", ["none", "standard"])
@pytest.mark.parametrize("weights", [{0: 0.25, 1: 5.0}, {1: 3.0}])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_machines_are_those_of_liblinear(
    features: Features, n_classes: int, weights: dict[int, float], scaling: Any, C: float
) -> None:
    data = relabelled(features, n_classes)
    fitness = ClassWeightFitness(
        data.values, data.labels, data.subjects, class_weight=weights, scaling=scaling
    )
    everything = np.ones((1, 30), np.bool_)
    expected = refit(data, C, weights, scaling)
    np.testing.assert_allclose(fitness.decisions(everything, [C])[0], expected, atol=1e-6)
    found = fitness.predictions(everything, [C])[0]
    np.testing.assert_array_equal(found, expected.argmax(axis=1))
    plain = SubjectFoldFitness(data.values, data.labels, data.subjects, scaling=scaling)
    assert np.abs(plain.decisions(everything, [C])[0, :, 1] - expected[:, 1]).max() > 1e-3


def test_weights_of_one_change_nothing(features: Features) -> None:
    masks = np.ones((1, 30), np.bool_)
    given = (features.values, features.labels, features.subjects)
    plain = SubjectFoldFitness(*given, n_folds=2)
    weighted = ClassWeightFitness(*given, class_weight={}, n_folds=2)
    np.testing.assert_allclose(
        weighted.decisions(masks, [1.0]), plain.decisions(masks, [1.0]), atol=1e-9
    )


def test_classes_are_found_by_their_names() -> None:
    classes = np.array(["a", "b", "c"])
    assert weights_by_class(classes, {"c": 2, "a": np.float32(0.5)}).tolist() == [0.5, 1, 2]
    assert weights_by_class(classes, {"a": 1.0, "b": 2, "c": 3, "d": 4}).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"happy": 2.0, "sadd": 1.0}, r"of 'happy', 'sad' expected, found 'sadd'; did you mean"),
        ({"happy": -1.0}, "a number above 0 for class 'happy' expected, found -1.0"),
        ({"happy": np.inf}, "found inf"),
        ({"happy": np.nan}, "found nan"),
        ({"happy": "2"}, "found '2'"),
        ({"happy": True}, "found True"),
    ],
)
def test_wrong_weights_are_refused(weights: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"class_weight: .*{message}"):
        weights_by_class(np.array(["happy", "sad"]), weights)
