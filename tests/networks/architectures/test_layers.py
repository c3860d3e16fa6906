import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from merec_hpc.networks.architectures.layers import (
    LocalResponseNorm,
    MirrorPad,
    PaddedMaxPool,
    SameMaxPool,
    SpatialMean,
    resize_bilinear,
)


@pytest.fixture
def batch() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(2, 7, 9, 12, generator=generator, dtype=torch.float64)


def test_normalisation_sums_neighbouring_channels_and_does_not_divide(batch: torch.Tensor) -> None:
    kappa, alpha, beta = 1.5, 0.2, 0.75
    found = LocalResponseNorm(5, kappa, alpha, beta).double()(batch).numpy()
    values = batch.numpy()
    for channel in range(7):
        near = values[:, max(channel - 2, 0) : channel + 3]
        expected = values[:, channel] / (kappa + alpha * (near**2).sum(axis=1)) ** beta
        np.testing.assert_allclose(found[:, channel], expected, rtol=1e-6)


def test_normalisation_is_torchs_with_alpha_times_size(batch: torch.Tensor) -> None:
    found = LocalResponseNorm(5, 1.0, 0.25, 0.5).double()(batch)
    expected = functional.local_response_norm(batch, 5, alpha=5 * 0.25, beta=0.5, k=1.0)
    torch.testing.assert_close(found, expected)


def test_padded_pooling_of_54_rows_gives_27() -> None:
    batch = -torch.rand(1, 1, 54, 54) - 1
    found = PaddedMaxPool()(batch)
    assert found.shape == (1, 1, 27, 27)
    assert torch.equal(found[0, 0, -1, -1], batch[0, 0, 52:, 52:].max())


@pytest.mark.parametrize(
    ("side", "first", "last"), [(60, (0, 3), (58, 60)), (15, (0, 2), (13, 15))]
)
def test_same_pooling_is_tensorflows(
    side: int, first: tuple[int, int], last: tuple[int, int]
) -> None:
    """An even side is padded at its end alone, an odd one on both sides."""
    batch = -torch.rand(1, 1, side, side) - 1  # zeros as padding would win
    found = SameMaxPool()(batch)[0, 0]
    assert found.shape == ((side + 1) // 2, (side + 1) // 2)
    assert found[0, 0] == batch[0, 0, slice(*first), slice(*first)].max()
    assert found[-1, -1] == batch[0, 0, slice(*last), slice(*last)].max()


def test_mirrored_border_is_torchs(batch: torch.Tensor) -> None:
    assert torch.equal(MirrorPad()(batch), nn.ReflectionPad2d(1)(batch))


def test_mean_is_that_of_adaptive_pooling(batch: torch.Tensor) -> None:
    torch.testing.assert_close(
        SpatialMean()(batch), functional.adaptive_avg_pool2d(batch, 1)[..., 0, 0]
    )


@pytest.mark.parametrize("size", [(9, 12), (4, 5), (15, 15), (120, 3), (1, 1)])
def test_two_products_resize_as_torch_does(batch: torch.Tensor, size: tuple[int, int]) -> None:
    expected = functional.interpolate(batch, size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(resize_bilinear(batch, *size), expected)
