"""How alike masks are, against numbers worked out by hand and against definitions."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.evaluation.stability import kuncheva_index, mean_jaccard, nogueira_stability

# Sizes 2, 2, 2 of 5; the pairs share 1, 0, 1.
EQUAL_SIZES = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 1, 0]], np.bool_)
# Sizes 1, 2, 2 of 4; the pairs share 1, 0, 1.
SIZES_DIFFER = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0]], np.bool_)


def of_one_size(
    rng: np.random.Generator, n_masks: int, n_features: int, size: int
) -> NDArray[np.bool_]:
    ranks = rng.random((n_masks, n_features)).argsort(axis=1)
    return ranks < size


def test_jaccard_is_that_worked_out_by_hand() -> None:
    assert mean_jaccard(EQUAL_SIZES) == pytest.approx((1 / 3 + 0 + 1 / 3) / 3)
    assert mean_jaccard(SIZES_DIFFER) == pytest.approx((1 / 2 + 0 + 1 / 3) / 3)


def test_kuncheva_is_that_worked_out_by_hand() -> None:
    # By chance 2 * 2 / 5 = 0.8 are shared: (1 - 0.8) / 1.2, (0 - 0.8) / 1.2, (1 - 0.8) / 1.2.
    assert kuncheva_index(EQUAL_SIZES) == pytest.approx((0.2 - 0.8 + 0.2) / 1.2 / 3)


def test_nogueira_is_that_worked_out_by_hand() -> None:
    # Features are in 2/3, 2/3, 1/3 and 0 of the masks, whose mean density is 5/12: the
    # unbiased variances of the features are 1/3, 1/3, 1/3 and 0.
    expected = 1 - (1 / 3 + 1 / 3 + 1 / 3 + 0) / 4 / (5 / 12 * 7 / 12)
    assert nogueira_stability(SIZES_DIFFER).value == pytest.approx(expected)


def test_the_interval_of_nogueira_is_that_worked_out_by_hand() -> None:
    # Masks {a} and {a, b} of 4: densities 1/4 and 1/2, mean 3/8, shares 1, 1/2, 0, 0.
    masks = np.array([[1, 0, 0, 0], [1, 1, 0, 0]], np.bool_)
    by_chance = 3 / 8 * 5 / 8
    value = 1 - (0 + 1 / 2) / 4 / by_chance
    first = (1 / 4 - 3 / 32 + value / 2 * (3 / 16 - 1 / 4 - 3 / 8 + 1)) / by_chance
    second = (3 / 8 - 3 / 16 + value / 2 * (3 / 8 - 1 / 2 - 3 / 8 + 1)) / by_chance
    variance = 4 / 2**2 * 2 * ((first - second) / 2) ** 2
    stability = nogueira_stability(masks)
    assert stability.value == pytest.approx(value)
    assert stability.interval.low == pytest.approx(value - 1.959964 * variance**0.5)
    assert stability.interval.high == pytest.approx(value + 1.959964 * variance**0.5)


def test_jaccard_is_that_of_its_definition(rng: np.random.Generator) -> None:
    masks = rng.random((6, 15)) < rng.random((6, 1))
    sets = [set(np.flatnonzero(mask)) for mask in masks]
    expected = np.mean([len(one & two) / len(one | two) for one, two in combinations(sets, 2)])
    assert mean_jaccard(masks) == pytest.approx(expected)


def test_identical_masks_are_one(rng: np.random.Generator) -> None:
    masks = np.tile(of_one_size(rng, 1, 20, 6), (5, 1))
    assert mean_jaccard(masks) == kuncheva_index(masks) == 1.0
    stability = nogueira_stability(masks)
    assert stability.value == stability.interval.low == stability.interval.high == 1.0


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_random_masks_are_about_zero_but_for_jaccard(
    rng: np.random.Generator, share: float
) -> None:
    masks = of_one_size(rng, 40, 1000, int(1000 * share))
    assert kuncheva_index(masks) == pytest.approx(0, abs=0.01)
    differing = rng.random((40, 1000)) < share * rng.uniform(0.8, 1.1, size=(40, 1))
    assert nogueira_stability(differing).value == pytest.approx(0, abs=0.01)
    assert mean_jaccard(masks) == pytest.approx(share / (2 - share), abs=0.02)


@pytest.mark.parametrize("size", [1, 7, 19])
def test_nogueira_is_kuncheva_where_sizes_are_equal(rng: np.random.Generator, size: int) -> None:
    masks = of_one_size(rng, 8, 20, size)
    assert nogueira_stability(masks).value == pytest.approx(kuncheva_index(masks))


def test_what_nothing_shares_is_as_low_as_can_be() -> None:
    masks = np.repeat(np.eye(2, dtype=np.bool_), 3, axis=1)
    assert kuncheva_index(masks) == nogueira_stability(masks).value == pytest.approx(-1.0)
    assert mean_jaccard(masks) == 0.0


def test_orders_of_masks_and_of_features_do_not_matter(rng: np.random.Generator) -> None:
    masks = rng.random((7, 30)) < 0.3
    shuffled = masks[rng.permutation(7)][:, rng.permutation(30)]
    assert mean_jaccard(shuffled) == pytest.approx(mean_jaccard(masks))
    one, two = nogueira_stability(masks), nogueira_stability(shuffled)
    assert two.value == pytest.approx(one.value)
    assert two.interval.low == pytest.approx(one.interval.low)


def test_the_interval_covers_the_stability_of_many_masks(rng: np.random.Generator) -> None:
    # Feature by feature independent: the stability of the procedure is known.
    chances = np.repeat([0.9, 0.1], [20, 180])
    density = chances.mean()
    expected = 1 - np.mean(chances * (1 - chances)) / (density * (1 - density))
    covered = 0
    for _ in range(200):
        interval = nogueira_stability(rng.random((50, 200)) < chances).interval
        covered += interval.low <= expected <= interval.high
    assert 0.9 <= covered / 200 <= 0.99


@pytest.mark.parametrize("chosen", [False, True])
def test_empty_and_full_masks_are_alike_but_beyond_chance(chosen: bool) -> None:
    masks = np.full((3, 4), chosen)
    assert mean_jaccard(masks) == 1.0
    assert np.isnan(kuncheva_index(masks))
    stability = nogueira_stability(masks)
    assert np.isnan([stability.value, stability.interval.low, stability.interval.high]).all()


def test_kuncheva_refuses_sizes_that_differ() -> None:
    with pytest.raises(ValueError, match="masks of one size expected, found 1 to 2 features"):
        kuncheva_index(SIZES_DIFFER)


@pytest.mark.parametrize("measure", [mean_jaccard, kuncheva_index, nogueira_stability])
@pytest.mark.parametrize("shape", [(1, 4), (0, 4), (3, 0), (4,)])
def test_fewer_than_two_masks_are_refused(measure: object, shape: tuple[int, ...]) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="at least two masks of at least one feature expected"):
        measure(np.ones(shape, np.bool_))
