"""The grid of rules, and how they are grouped."""

import numpy as np
import pytest

from merec_hpc.selection.rule.family import (
    ALL_FEATURES,
    Family,
    checked,
    grid_of,
    groups_of,
)


def test_the_grid_is_every_combination_with_all_features_as_today_among_them() -> None:
    genes = grid_of(Family())
    assert genes.shape == (3 * 4 * 3 * 7, 4)
    assert len(np.unique(genes, axis=0)) == len(genes)
    assert [0.0, 0.0, 0.0, 1.0] in genes.tolist()
    assert np.unique(genes[:, 0]).tolist() == [0, 0.3, 1]
    assert np.unique(genes[:, 1]).tolist() == [0, 0.5, 1, 2]
    assert np.unique(genes[:, 2]).tolist() == [0, 0.03, 0.3]
    assert genes[0].tolist() == pytest.approx([0, 0, 0, 10**-1.5])
    assert genes[-1].tolist() == pytest.approx([1, 2, 0.3, 10**1.5])


def test_the_control_has_an_intercept_and_nothing_else() -> None:
    genes = grid_of(ALL_FEATURES)
    assert not genes[:, :2].any()
    assert len(np.unique(genes[:, 2])) == 3
    assert len(genes) == 21


def test_groups_are_of_equal_values_in_the_order_of_rows() -> None:
    values = np.array([1.0, 0.0, 1.0, 0.3, 0.0])
    found = [(value, rows.tolist()) for value, rows in groups_of(values, np.array([4, 2, 1, 0]))]
    assert found == [(0.0, [4, 1]), (1.0, [2, 0])]


@pytest.mark.parametrize(
    "genes",
    [
        [[0, 0, 0, 0]],
        [[0, 0, 0, 1], [0, 0, 0, 0]],
        [[0, 0, 0, 1], [0, 0, -0.1, 1]],
        [[-1, 0, 0, 1]],
        [[0, np.nan, 0, 1]],
        [[0, 0, np.inf, 1]],
        [[0, 0, 1]],
        np.empty((0, 4)),
    ],
)
def test_genes_that_are_none_are_refused(genes: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="expected, found"):
        checked(genes)
