"""Losses by their formulas, in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from merec_hpc.config.training import TrainingSettings
from merec_hpc.training.losses import focal_loss, image_loss


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]))
def test_focal_loss_is_its_formula(seed: int, gamma: float) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(0, 5, (6, 4)), rng.integers(4, size=6)
    log_p = log_softmax(scores, axis=1)[np.arange(6), labels]
    expected = -((1 - np.exp(log_p)) ** gamma) * log_p
    found = focal_loss(torch.from_numpy(scores), torch.from_numpy(labels), gamma)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
@pytest.mark.parametrize("size", [0.0, 30.0, 200.0])
def test_slopes_are_finite_where_an_image_is_certain(gamma: float, size: float) -> None:
    scores = torch.tensor([[size, 0.0], [0.0, size]], requires_grad=True)
    focal_loss(scores, torch.tensor([0, 0]), gamma).sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_slope_is_that_of_the_formula() -> None:
    """By central differences, in double precision."""
    rng = np.random.default_rng(0)
    scores = torch.from_numpy(rng.normal(size=(5, 3))).requires_grad_()
    labels = torch.from_numpy(rng.integers(3, size=5))
    assert torch.autograd.gradcheck(lambda given: focal_loss(given, labels, 2.0), (scores,))


def test_balanced_classes_weigh_the_same() -> None:
    labels = np.array([0] * 6 + [1] * 3 + [2])
    settings = TrainingSettings(class_weight="balanced")
    loss = image_loss(settings, labels, 3, torch.device("cpu"))
    losses = loss(torch.zeros(10, 3), torch.from_numpy(labels)).numpy()
    sums = [losses[labels == label].sum() for label in range(3)]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-6)
    assert losses.mean() == pytest.approx(np.log(3), rel=1e-6)


def test_gamma_is_of_the_focal_loss_alone() -> None:
    scores, labels = torch.tensor([[1.0, 0.0]]), torch.tensor([0])
    cpu, known = torch.device("cpu"), np.array([0, 1])
    plain = image_loss(TrainingSettings(), known, 2, cpu)(scores, labels)
    torch.testing.assert_close(plain, torch.nn.functional.cross_entropy(scores, labels)[None])
