"""Gram matrices of several masks at once against one product per mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from merec_hpc.kernels.gram import MOST_MASKS, gram_matrices
from merec_hpc.kernels.simd import BLOCK
from merec_hpc.records import Masks


def grams_at_once(features: NDArray[np.float32], masks: Masks) -> NDArray[np.float64]:
    n_clips, n_features = features.shape
    n_blocks = -(-n_clips // BLOCK)
    padded = np.zeros((n_blocks * BLOCK, n_features), np.float32)
    padded[:n_clips] = features
    columns = np.ascontiguousarray(padded.reshape(n_blocks, BLOCK, -1).transpose(0, 2, 1))
    grams = np.full((len(masks), len(padded), len(padded)), np.nan)
    gram_matrices(columns, masks, np.full_like(columns, np.nan), grams)
    return np.stack([np.triu(gram[:n_clips, :n_clips]) for gram in grams])


def grams_one_by_one(features: NDArray[np.float32], masks: Masks) -> NDArray[np.float64]:
    wide = features.astype(np.float64)
    return np.stack([np.triu(wide[:, mask] @ wide[:, mask].T) for mask in masks])


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    n_clips=st.integers(1, 40),
    n_features=st.integers(1, 300),
    n_masks=st.integers(1, MOST_MASKS),
    density=st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0]),
)
def test_grams_are_those_of_each_mask_alone(
    seed: int, n_clips: int, n_features: int, n_masks: int, density: float
) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_clips, n_features)).astype(np.float32)
    masks = rng.random((n_masks, n_features)) < density
    expected = grams_one_by_one(features, masks)
    scale = (features.astype(np.float64) ** 2).sum(axis=1).max()
    np.testing.assert_allclose(grams_at_once(features, masks), expected, rtol=0, atol=1e-6 * scale)


def test_whole_numbers_are_summed_exactly_over_many_runs() -> None:
    rng = np.random.default_rng(0)
    features = rng.integers(-3, 4, size=(BLOCK + 3, 1000)).astype(np.float32)
    masks = np.stack([np.ones(1000, np.bool_), rng.random(1000) < 0.5])
    np.testing.assert_array_equal(grams_at_once(features, masks), grams_one_by_one(features, masks))


@pytest.mark.parametrize("partner", [0, 1, 7])
def test_a_mask_with_partners_is_off_by_rounding_only(partner: int) -> None:
    rng = np.random.default_rng(1)
    features = np.maximum(rng.normal(size=(20, 4000)), 0).astype(np.float32)
    masks = rng.random((8, 4000)) < 0.5
    together = grams_at_once(features, masks)[partner]
    alone = grams_at_once(features, masks[partner : partner + 1])[0]
    np.testing.assert_allclose(together, alone, rtol=1e-6)
