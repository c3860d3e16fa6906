"""Evolution of genes on made-up landscapes, and the draws that are its control."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from oracles.rule import evolved_by_hand

from merec_hpc.selection.rule.evolve import evolve_rules, genes_of, random_rules
from merec_hpc.selection.rule.family import Family, Genes
from merec_hpc.selection.rule.rules import Rules

SETTINGS = Family(search="evolved")
Search = Callable[[Callable[[Genes], Rules], Family], Rules]


def judge(genes: Genes) -> Rules:
    """A landscape that is highest at kappa 10, p 2, b 0.1 and C 0.1."""
    kappa, p, b, C = genes.T
    logarithms = np.log10(np.stack([np.maximum(kappa, 1e-2), np.maximum(b, 1e-3), C]))
    distances = (np.abs(logarithms - np.array([[1.0], [-1.0], [-1.0]]))).sum(axis=0) + abs(p - 2)
    return Rules(genes, distances, distances, -distances, distances, np.zeros((len(genes), 1, 2)))


@pytest.mark.parametrize("search", [evolve_rules, random_rules])
def test_as_many_rules_are_tried_and_the_first_is_all_features(search: Search) -> None:
    tried = search(judge, SETTINGS).genes
    assert tried.shape == (84, 4)
    assert tried[0].tolist() == [0, 0, 0, 1]
    assert (tried[:, 0] > 0).mean() > 0.5


@pytest.mark.parametrize("seed", [0, 5, 2**40])
def test_evolution_is_that_of_the_formulas(seed: int) -> None:
    expected = evolved_by_hand(
        lambda genes: float(judge(np.array([genes])).fitness[0]),
        seed,
        n_individuals=9,
        n_generations=5,
    )
    found = evolve_rules(judge, replace(SETTINGS, seed=seed, n_individuals=9, n_generations=5))
    np.testing.assert_allclose(found.genes, expected, rtol=1e-9)


def test_later_generations_are_nearer_to_what_is_best() -> None:
    evolved = evolve_rules(judge, SETTINGS).losses.reshape(7, 12).mean(axis=1)
    drawn = random_rules(judge, SETTINGS).losses.mean()
    assert evolved[-1] < 0.5 * evolved[0]
    assert evolved[-1] < 0.5 * drawn


def test_genes_stay_within_their_bounds() -> None:
    wide = replace(SETTINGS, n_individuals=400, n_generations=2)
    kappa, p, b, C = evolve_rules(judge, wide).genes.T
    assert ((kappa == 0) | ((kappa > 0.01) & (kappa <= 100))).all()
    assert ((b == 0) | ((b > 0.001) & (b <= 1))).all()
    assert p.min() == 0
    assert p.max() <= 2.5
    assert C.min() >= 0.01 * (1 - 1e-12)
    assert C.max() <= 100


def test_lower_ends_are_0_and_nothing_else_is() -> None:
    genes = genes_of(np.array([[-2.0, 0.0, -3.0, -2.0], [-1.9, 0.5, -2.9, 2.0]]))
    assert genes.tolist() == [
        pytest.approx([0, 0, 0, 0.01]),
        pytest.approx([10**-1.9, 0.5, 10**-2.9, 100]),
    ]


@pytest.mark.parametrize("search", [evolve_rules, random_rules])
@pytest.mark.parametrize(("gene", "key"), [(0, "kappa_values"), (1, "p_values"), (2, "b_values")])
def test_a_gene_that_the_family_has_not_stays_0(search: Search, gene: int, key: str) -> None:
    tried = search(judge, replace(SETTINGS, **{key: (0.0,)})).genes
    assert not tried[:, gene].any()
    assert all(tried[:, other].any() for other in range(4) if other != gene)


@pytest.mark.parametrize("search", [evolve_rules, random_rules])
def test_a_seed_is_a_sequence_of_draws(search: Search) -> None:
    once = search(judge, SETTINGS).genes
    np.testing.assert_array_equal(search(judge, SETTINGS).genes, once)
    assert (search(judge, replace(SETTINGS, seed=1)).genes != once).any()
