"""Masks of groups, and weights of groups, against the expanded features of each mask alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from merec_hpc.config.selection import Criterion, GeneticSettings
from merec_hpc.criteria import criteria_names
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features
from merec_hpc.selection.fitness import unit_problem
from merec_hpc.selection.fitness.any_classifier import ClassifierFitness
from merec_hpc.selection.fitness.class_weights import ClassWeightFitness
from merec_hpc.selection.fitness.genome import Genome
from merec_hpc.selection.fitness.grouped import GroupedFitness
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.fitness.unit_fitness import (
    UnitClassWeightFitness,
    UnitFitness,
    find_genome,
)

N_CLIPS, N_GROUPS = 24, 7


class Table:
    """Clips of six subjects, features in groups of unequal size, in no order."""

    def __init__(self, n_features: int, *, weighs: bool = False, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        labels = np.arange(N_CLIPS) % 3
        values = rng.normal(size=(N_CLIPS, n_features))
        values += 0.8 * np.eye(3)[labels] @ rng.normal(size=(3, n_features))
        values *= rng.uniform(0.2, 5, n_features)
        self.clips = values, labels, np.repeat(np.arange(6), 4)
        numbers = np.concatenate(
            [np.arange(N_GROUPS), rng.integers(0, N_GROUPS, n_features - N_GROUPS)]
        )
        self.genome = Genome(rng.permutation(numbers), weighs=weighs)
        self.genes = rng.random((12, self.genome.n_genes)) < 0.5
        self.genes[0] = False
        self.C = rng.choice([0.01, 1.0, 100.0], 12)
        self.bias = rng.choice([0.0, 0.3], 12)

    def fitness(self, **options: Any) -> UnitFitness:
        return UnitFitness(*self.clips, genome=self.genome, **options)

    def expanded(self, genes: NDArray[np.bool_], **options: Any) -> tuple[Any, NDArray[np.bool_]]:
        """Return what scores all features, each by its weight, and their mask."""
        values, *others = self.clips
        weights = self.genome.weights(genes[None])
        factors = 1.0 if weights is None else np.where(weights[0] > 0, weights[0], 1.0)
        mask = np.array([bool(genes_of.any()) for genes_of in self._genes_of_features(genes)])
        return SubjectFoldFitness(values * factors, *others, **options), mask

    def _genes_of_features(self, genes: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
        each = genes.reshape(N_GROUPS, -1)
        return [each[group] for group in self.genome.group_of]


@pytest.fixture(params=["kept", "expanded"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the Gram matrices of the groups fit into memory."""
    if request.param == "expanded":
        monkeypatch.setattr(unit_problem, "MOST_KEPT", 10)
    return str(request.param)


OPTIONS: list[Mapping[str, Any]] = [
    {},
    {"n_folds": 3, "class_weight": "balanced"},
    {"scaling": "standard"},
]


@pytest.mark.parametrize(
    ("weighs", "options"),
    # A standardised feature has no size, whatever it is multiplied by before.
    [(weighs, own) for weighs in (False, True) for own in OPTIONS[: 2 if weighs else 3]],
    ids=str,
)
@pytest.mark.parametrize("n_features", [30, 300])
def test_predictions_are_those_of_the_expanded_masks(
    memory: str, n_features: int, weighs: bool, options: Mapping[str, Any]
) -> None:
    table = Table(n_features, weighs=weighs)
    fitness = table.fitness(**options)
    assert all(problem.sums_grams == (memory == "kept") for problem in fitness._problems())
    assert fitness.n_features == table.genes.shape[1]
    found = fitness.predictions(table.genes, table.C, table.bias)
    decided = fitness.decisions(table.genes[1:], table.C[1:], table.bias[1:])
    scores = fitness.score(table.genes, table.C, "mu_minus_variance", table.bias)
    training = fitness.training_accuracies(table.genes, table.C, table.bias)
    for place, genes in enumerate(table.genes):
        other, mask = table.expanded(genes, **options)
        one = mask[None], table.C[[place]], table.bias[[place]]
        np.testing.assert_array_equal(found[[place]], other.predictions(*one))
        np.testing.assert_array_equal(
            scores[[place]], other.score(*one[:2], "mu_minus_variance", one[2])
        )
        np.testing.assert_array_equal(training[[place]], other.training_accuracies(*one))
        if mask.any():
            expected = other.decisions(*one)[0]
            largest = np.abs(expected).max(axis=0)
            assert (np.abs(decided[place - 1] - expected) <= 1e-8 * largest).all()


@pytest.mark.parametrize("criterion", criteria_names())
def test_every_criterion_is_that_of_the_expanded_masks(criterion: Criterion) -> None:
    table = Table(120, weighs=True)
    found = table.fitness().rate(table.genes, table.C, criterion, table.bias)
    for place, genes in enumerate(table.genes):
        other, mask = table.expanded(genes)
        expected = other.rate(mask[None], table.C[[place]], criterion, table.bias[[place]])
        np.testing.assert_allclose(found[[place]], expected, rtol=1e-8, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(
    n_features=st.integers(N_GROUPS, 160),
    weighs=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_sums_are_the_gram_matrices_of_the_expanded_masks(
    n_features: int, weighs: bool, seed: int
) -> None:
    table = Table(n_features, weighs=weighs, seed=seed)
    (problem,) = table.fitness()._problems()
    values = problem._features
    many = [np.triu(gram.matrix) for gram in problem.grams(table.genes)]
    weights = table.genome.weights(table.genes)
    masks = table.genome.masks(table.genes)
    for place, genes in enumerate(table.genes):
        # Entry by entry, with every feature's own term.
        expected = np.zeros((N_CLIPS, N_CLIPS))
        for feature in np.flatnonzero(masks[place]):
            factor = 1.0 if weights is None else weights[place, feature] ** 2
            expected += factor * np.outer(values[:, feature], values[:, feature])
        norms = np.sqrt(expected.diagonal())
        limit = 1e-13 * np.outer(norms, norms) + 1e-300
        alone = problem.exact_gram(genes).matrix
        np.testing.assert_array_equal(many[place], np.triu(alone))
        np.testing.assert_array_less(np.abs(alone - expected), limit)
        bias = problem.constant(genes, 0.5)
        np.testing.assert_allclose(bias, 0.5 * np.sqrt(norms @ norms / N_CLIPS), rtol=1e-12)


def test_a_mask_scores_the_same_in_any_batch() -> None:
    table = Table(200, weighs=True)
    fitness = table.fitness()
    for criterion in ("mu_minus_variance", "balanced_log_loss"):
        together = fitness.score(table.genes, table.C, criterion, table.bias)
        alone = [
            fitness.score(table.genes[[row]], table.C[[row]], criterion, table.bias[[row]])[0]
            for row in range(len(table.genes))
        ]
        assert together.tolist() == alone


def test_flips_are_the_masks_that_they_lead_to(memory: str) -> None:
    table = Table(60)
    fitness, mask = table.fitness(), table.genes[3]
    found = fitness.rate_flips(mask, 1.0, "mu", [4, 0, 6])
    for place, flipped in enumerate((4, 0, 6)):
        changed = mask.copy()
        changed[flipped] ^= True
        np.testing.assert_array_equal(found[[place]], fitness.rate(changed[None], [1.0], "mu"))


def test_groupings_share_the_sums_and_the_penalty_is_of_groups() -> None:
    table = Table(200, weighs=True)
    shared: list[NDArray[Any]] = []

    def share(make: Any) -> NDArray[Any]:
        shared.append(make())
        return shared[-1]

    first = table.fitness(n_folds=3, share=share)
    assert [array.size for array in shared] == [N_CLIPS * 200, N_GROUPS * N_CLIPS**2]
    several = GroupedFitness(first, 3, 0.2)
    arguments = table.genes, table.C, "mu", table.bias
    found = several.score(*arguments)
    assert len(shared) == 2
    scores = []
    for grouping in several.groupings:
        assert grouping.genome is table.genome
        owners = grouping.folds.folds[np.argsort(grouping.folds.order)]
        alone = UnitFitness(*table.clips[:2], owners, genome=table.genome)
        scores.append(alone.score(*arguments))
        np.testing.assert_array_equal(grouping.score(*arguments), scores[-1])
    left_out = [1 - genes.reshape(-1, 2).any(axis=1).mean() for genes in table.genes]
    expected = np.maximum(np.mean(scores, axis=0) - 0.2 * np.array(left_out), 0)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    flips = several.rate_flips(table.genes[5], 1.0, "mu", [0, 3])
    for row, flipped in zip(flips, (0, 3), strict=True):
        changed = table.genes[5].copy()
        changed[flipped] ^= True
        np.testing.assert_allclose(row, several.rate(changed[None], [1.0], "mu")[0], atol=1e-12)


def test_sums_of_scaled_folds_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    group_grams = unit_problem.group_grams

    def counted(*arguments: Any) -> Any:
        made.append(1)
        return group_grams(*arguments)

    monkeypatch.setattr(unit_problem, "group_grams", counted)
    table = Table(60)
    fitness = table.fitness(scaling="standard")
    for _ in range(3):
        fitness.score(table.genes, table.C, "mu")
    assert len(made) == 6  # one a subject
    other = fitness.regrouped(np.arange(6) // 2)
    other.score(table.genes, table.C, "mu")
    assert len(made) == 9


def test_classes_may_weigh_by_a_dictionary() -> None:
    table, weights = Table(60), {0: 3.0, 2: 0.5}
    genome, clips = table.genome, table.clips
    found = UnitClassWeightFitness(*clips, genome=genome, class_weight=weights)
    expected = ClassWeightFitness(*clips, class_weight=weights)
    np.testing.assert_array_equal(
        found.predictions(table.genes, table.C),
        expected.predictions(genome.masks(table.genes), table.C),
    )


def test_machines_are_of_features() -> None:
    table = Table(60)
    masks = table.genome.masks(table.genes)
    found = table.fitness().machines(masks, table.C, table.bias)
    expected = SubjectFoldFitness(*table.clips).machines(masks, table.C, table.bias)
    np.testing.assert_array_equal(found.weights, expected.weights)
    with pytest.raises(ValueError, match=r"masks \(n, 60\)"):
        table.fitness().machines(table.genes, table.C)


def test_machines_of_the_expanded_masks_are_certified() -> None:
    table = Table(60, weighs=True)
    assert table.fitness().certify(table.genes, table.C, table.bias).max() < 1e-9


def test_other_classifiers_see_the_expanded_features() -> None:
    table = Table(60)
    masks = table.genome.masks(table.genes)
    settings_ = "linear_svm", "smote", 0
    found = ClassifierFitness(table.fitness(), *settings_)
    expected = ClassifierFitness(SubjectFoldFitness(*table.clips), *settings_)
    assert found.n_features == N_GROUPS
    rows = np.arange(1, 4)
    np.testing.assert_array_equal(
        found.score(table.genes[rows], table.C[rows], "mu"),
        expected.score(masks[rows], table.C[rows], "mu"),
    )
    np.testing.assert_array_equal(
        found.training_accuracies(table.genes[rows], table.C[rows]),
        expected.training_accuracies(masks[rows], table.C[rows]),
    )


def test_weights_multiply_features_that_are_scaled_in_each_inner_fold() -> None:
    table = Table(30, weighs=True)
    values, labels, subjects = table.clips
    found = table.fitness(scaling="standard").decisions(table.genes[1:4], np.full(3, 0.1))
    weights = table.genome.weights(table.genes[1:4])
    assert weights is not None
    for own, decided in zip(weights, found, strict=True):
        for subject in range(6):
            training = subjects != subject
            scaled = Scaling.fit(values[training], "standard").apply(values) * own
            machine = train_svm(scaled[training], labels[training], 0.1)
            expected = machine.decisions(scaled[~training])
            np.testing.assert_allclose(decided[~training], expected, atol=1e-5)


def test_a_group_of_each_feature_is_expected() -> None:
    table = Table(60)
    with pytest.raises(ValueError, match="a group for each of 60 features expected, found 59"):
        UnitFitness(*table.clips, genome=Genome(np.arange(59)))


def test_without_groups_or_weights_genes_are_features(features: Features) -> None:
    assert find_genome(features, GeneticSettings()) is None
    genome = find_genome(features, GeneticSettings(genome="weights"))
    assert genome is not None
    assert genome.n_genes == 60
