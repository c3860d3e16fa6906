"""Who decides, and what rules decide together."""

import numpy as np
import pytest

from merec_hpc.selection.rule.deciding import EIGHTH, QUARTER, best_rules, shares_of


@pytest.mark.parametrize(("share", "expected"), [(0.0, [3]), (EIGHTH, [3]), (0.5, [3, 1, 2])])
def test_the_best_decide_and_of_equals_the_first(share: float, expected: list[int]) -> None:
    losses = np.array([0.9, 0.2, 0.2, 0.1, 0.5, 0.6])
    assert best_rules(losses, share).tolist() == expected


def test_of_many_equals_the_first_decide_and_their_number_is_rounded_up() -> None:
    losses = np.tile([0.2, 0.1], 126)
    assert best_rules(losses, EIGHTH).tolist() == list(range(1, 64, 2))
    assert best_rules(losses, QUARTER).tolist() == list(range(1, 126, 2))


def test_each_rule_speaks_in_its_own_units() -> None:
    decisions = np.array([[[0.2, -0.2]], [[-30.0, 30.0]], [[0.0, 0.0]]])
    found = np.tensordot(shares_of(np.array([0.2, 10.0, 0.0])), decisions, 1)
    np.testing.assert_allclose(found, [[-2 / 3, 2 / 3]])


def test_a_rule_that_decided_nothing_within_speaks_as_it_does() -> None:
    decisions = np.array([[[3.0, -3.0]], [[0.0, 0.0]]])
    found = np.tensordot(shares_of(np.array([0.0, 1.0])), decisions, 1)
    np.testing.assert_allclose(found, [[1.5, -1.5]])
