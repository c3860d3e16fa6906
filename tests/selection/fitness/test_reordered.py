"""Other folds of the same features, against a fitness that is made for them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.criteria import criteria_names
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


class Table:
    """Clips of eight subjects in random order, few features or many of them."""

    def __init__(self, n_features: int, n_classes: int = 3) -> None:
        rng = np.random.default_rng(n_features)
        self.subjects = rng.permutation(np.arange(41) % 8)
        self.labels = rng.integers(n_classes, size=41)
        self.values = rng.normal(size=(41, n_features)) + self.labels[:, None] * 0.3
        self.masks = rng.random((6, n_features)) < 0.3
        self.C = rng.choice([0.01, 1.0, 1e3], size=6)
        self.bias = np.array([0.0, 0.0, 0.1, 0.1, 1.0, 5.0])
        self.fold_of = np.array([2, 0, 1, 1, 0, 2, 2, 0])  # of each subject

    def fitness(self, groups: NDArray[np.int64], **options: Any) -> SubjectFoldFitness:
        return SubjectFoldFitness(self.values, self.labels, groups, **options)


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("scaling", ["none", "standard"])
@pytest.mark.parametrize("n_features", [30, 400])  # by Gram matrices of double and single precision
def test_regrouped_fitness_is_that_of_the_groups(
    n_features: int, scaling: str, class_weight: str
) -> None:
    table = Table(n_features)
    options = {"scaling": scaling, "class_weight": class_weight}
    found = table.fitness(table.subjects, n_folds=3, **options).regrouped(table.fold_of)
    expected = table.fitness(table.fold_of[table.subjects], **options)
    np.testing.assert_array_equal(found.folds.order, expected.folds.order)
    np.testing.assert_array_equal(found.features, expected.features)
    for fitness in (found, found.regrouped(table.fold_of)):  # once more changes nothing
        np.testing.assert_array_equal(
            fitness.predictions(table.masks, table.C, table.bias),
            expected.predictions(table.masks, table.C, table.bias),
        )
        np.testing.assert_allclose(
            fitness.decisions(table.masks, table.C, table.bias),
            expected.decisions(table.masks, table.C, table.bias),
            rtol=1e-6,
            atol=1e-9,
        )
        for criterion in criteria_names():
            np.testing.assert_allclose(
                fitness.rate(table.masks, table.C, criterion, table.bias),
                expected.rate(table.masks, table.C, criterion, table.bias),
                atol=1e-8,
            )
    flipped = np.arange(0, n_features, 7)
    for bias in (0.0, 0.5):
        np.testing.assert_allclose(
            found.rate_flips(table.masks[0], 1.0, "balanced_hinge", flipped, bias),
            expected.rate_flips(table.masks[0], 1.0, "balanced_hinge", flipped, bias),
            atol=1e-8,
        )


def test_regrouped_fitness_keeps_no_features_of_its_own() -> None:
    table = Table(400)
    shared: list[NDArray[Any]] = []

    def share(make: Any) -> NDArray[Any]:
        shared.append(make())
        return shared[-1]

    first = table.fitness(table.subjects, n_folds=3, share=share)
    n_shared = len(shared)
    other = first.regrouped(table.fold_of)
    other.score(table.masks, table.C, "mu")
    assert len(shared) == n_shared
    assert other._all_clips.kept is shared[0]
    kept = [value for value in vars(other).values() if isinstance(value, np.ndarray)]
    assert all(array.size < 400 * 41 for array in kept)


def test_training_does_not_depend_on_the_grouping() -> None:
    table = Table(30)
    first = table.fitness(table.subjects, n_folds=3)
    other = first.regrouped(table.fold_of)
    np.testing.assert_allclose(
        other.machines(table.masks, table.C, table.bias).weights,
        first.machines(table.masks, table.C, table.bias).weights,
        atol=1e-9,
    )
    np.testing.assert_array_equal(
        other.training_accuracies(table.masks, table.C, table.bias),
        first.training_accuracies(table.masks, table.C, table.bias),
    )
