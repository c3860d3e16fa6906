"""Losses of decisions on left-out clips, against plain loops and where they are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.rule import balanced_loss, plain_loss

from merec_hpc.selection.rule.losses import (
    TEMPERATURES,
    balanced_log_loss,
    decision_scales,
    evolved_fitness,
    pooled_uf1,
)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.integers(2, 4), st.sampled_from([0.1, 1.0, 10.0]))
def test_losses_are_those_of_the_formulas(seed: int, n_classes: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=9)])
    decisions = size * rng.normal(size=(3, len(labels), n_classes))
    decisions[1, np.arange(len(labels)), labels] += size
    told, losses = labels.tolist(), balanced_log_loss(decisions, labels)
    fitness = evolved_fitness(decisions, labels, np.array([0.1, 0.2, 0.3]))
    for rule, rows in enumerate(decisions.tolist()):
        each = [balanced_loss(rows, told, t) for t in TEMPERATURES]
        both = [
            loss + plain_loss(rows, told, t) for loss, t in zip(each, TEMPERATURES, strict=True)
        ]
        assert losses[rule] == pytest.approx(min(each))
        assert fitness[rule] == pytest.approx([0.1, 0.2, 0.3][rule] - min(both) / 4)


def test_a_class_of_few_clips_weighs_as_much_as_one_of_many() -> None:
    labels = np.array([0, 0, 0, 0, 1])
    always_first = np.tile([1.0, -1.0], (5, 1))
    always_second = -always_first
    losses = balanced_log_loss(np.stack([always_first, always_second]), labels)
    assert losses[0] == pytest.approx(losses[1])


def test_what_decides_nothing_loses_the_logarithm_of_the_number_of_classes() -> None:
    labels = np.array([0, 1, 2, 2])
    assert balanced_log_loss(np.zeros((1, 4, 3)), labels)[0] == pytest.approx(np.log(3))


def test_clips_of_an_untrained_class_cost_uf1_but_no_loss() -> None:
    labels = np.array([0, 1, 2, 0, 1])
    decisions = np.eye(3)[[0, 1, 0, 0, 1]][None] * 2 - 1
    decisions[:, 2, 2] = -np.inf
    others = np.arange(5) != 2
    assert balanced_log_loss(decisions, labels)[0] == pytest.approx(
        balanced_log_loss(decisions[:, others], labels[others])[0]
    )
    assert pooled_uf1(decisions, labels)[0] == pytest.approx((0.8 + 1 + 0) / 3)
    assert decision_scales(decisions).tolist() == [1]


def test_scales_are_mean_sizes() -> None:
    decisions = np.array([[[1.0, -3.0], [2.0, -np.inf]], [[0.0, 0.0], [0.0, 0.0]]])
    assert decision_scales(decisions).tolist() == [2, 0]
    assert decision_scales(np.array([[[4.0, -np.inf]]])).tolist() == [4]


def test_uf1_is_of_all_clips_together() -> None:
    labels = np.array([0, 1, 1])
    decisions = np.eye(2)[[[0, 1, 1], [0, 0, 0]]]
    assert pooled_uf1(decisions, labels).tolist() == [1, 0.25]
