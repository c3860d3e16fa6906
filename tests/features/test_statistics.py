from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.statistics import described

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.features import FeatureSettings, Statistic
from merec_hpc.errors import MerecError
from merec_hpc.features.extraction import feature_names
from merec_hpc.features.statistics import clip_statistics, needed_frames

NUMPY = {"mean": np.mean, "variance": np.var, "std": np.std}  # ddof = 0
CHOICES = st.lists(st.sampled_from(sorted(NUMPY)), min_size=1, max_size=3, unique=True)


def _activations(seed: int, shape: tuple[int, int, int, int]) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(3, 2, shape).astype(np.float32)


SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(seed=SEEDS, shape=SHAPES, chosen=CHOICES)
def test_unpooled_statistics_are_numpys_on_flattened_activations(
    seed: int, shape: tuple[int, int, int, int], chosen: list[str]
) -> None:
    activations = _activations(seed, shape)
    flat = activations.reshape(shape[0], -1).astype(np.float64)
    expected = np.concatenate([NUMPY[name](flat, axis=0) for name in chosen])
    found = clip_statistics(activations, chosen, "none")
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@settings(deadline=None)
@given(seed=SEEDS, shape=SHAPES, chosen=CHOICES)
def test_pooled_statistics_are_numpys_on_the_means_of_frames(
    seed: int, shape: tuple[int, int, int, int], chosen: list[str]
) -> None:
    activations = _activations(seed, shape)
    means = activations.reshape(*shape[:2], -1).astype(np.float64).mean(axis=2)
    expected = np.concatenate([NUMPY[name](means, axis=0) for name in chosen])
    found = clip_statistics(activations, chosen, "mean")
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@settings(deadline=None)
@given(seed=SEEDS, shape=SHAPES, chosen=CHOICES, pooling=st.sampled_from(["mean", "none"]))
def test_spatial_statistics_are_numpys_over_the_places_of_the_mean_frame(
    seed: int, shape: tuple[int, int, int, int], chosen: list[str], pooling: str
) -> None:
    activations = _activations(seed, shape)
    places = activations.astype(np.float64).mean(axis=0).reshape(shape[1], -1)
    expected = np.concatenate([NUMPY[name](places, axis=1) for name in chosen])
    found = clip_statistics(activations, [f"spatial_{name}" for name in chosen], pooling)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("pooling", ["mean", "none"])
def test_spatial_names_lead_to_their_values_beside_temporal_ones(pooling: str) -> None:
    statistics = ("std", "spatial_std", "spatial_mean")
    activations = _activations(7, (6, 4, 3, 2))
    chosen = FeatureSettings(pooling=pooling, statistics=statistics)
    names = feature_names(chosen, (4, 3, 2))
    values = clip_statistics(activations, statistics, pooling)
    assert len(names) == len(values)
    mean_frame = activations.astype(np.float64).mean(axis=0)
    found = {str(name): value for name, value in zip(names, values, strict=True)}
    for channel in range(4):
        for statistic in ("std", "mean"):
            name = f"mobilenet_v2/features.18/{channel}/all/all/spatial_{statistic}"
            assert found[name] == pytest.approx(NUMPY[statistic](mean_frame[channel]), rel=1e-6)


def test_spatial_statistics_of_a_layer_without_places_are_refused() -> None:
    chosen = FeatureSettings(statistics=("std", "spatial_std"), layer="classifier.1")
    with pytest.raises(MerecError, match=r"spatial_std: a layer with rows .* 'classifier.1'"):
        feature_names(chosen, (1000, 1, 1))


@pytest.mark.parametrize("pooling", ["mean", "none"])
def test_result_is_float32(pooling: str) -> None:
    assert clip_statistics(_activations(1, (3, 2, 2, 2)), ["std"], pooling).dtype == np.float32


@settings(deadline=None)
@given(seed=SEEDS, n_frames=st.integers(1, 40), pooling=st.sampled_from(["mean", "none"]))
def test_still_clip_has_exactly_no_deviation(seed: int, n_frames: int, pooling: str) -> None:
    still = np.repeat(_activations(seed, (1, 4, 3, 3)), n_frames, axis=0)
    for normalised in (False, True):
        found = clip_statistics(still, ["variance", "std"], pooling, normalised=normalised)
        assert not found.any()


def test_equal_places_have_exactly_no_spatial_deviation() -> None:
    even = np.full((7, 3, 3, 3), 0.1, np.float32)
    assert not clip_statistics(even, ["spatial_std", "spatiotemporal_variance"], "none").any()


@settings(deadline=None)
@given(
    seed=SEEDS,
    shape=SHAPES,
    statistics=st.lists(st.sampled_from(get_args(Statistic)), min_size=1, unique=True),
    pooling=st.sampled_from(["mean", "none"]),
    normalised=st.booleans(),
)
def test_every_statistic_is_that_of_the_oracle(
    seed: int,
    shape: tuple[int, int, int, int],
    statistics: list[str],
    pooling: str,
    *,
    normalised: bool,
) -> None:
    """Activations like those of a layer: rectified, so that some channels are dead."""
    activations, filmed = (
        np.maximum(_activations(one, (n, *shape[1:])) - 3, 0)
        for one, n in ((seed, shape[0]), (seed + 1, 2))
    )
    found = clip_statistics(activations, statistics, pooling, filmed, normalised=normalised)
    expected = described(activations, statistics, pooling, filmed, normalised=normalised)
    # What is left of a mean of changes that cancel out is rounding.
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12)


def test_block_of_zeros_stays_zeros_and_the_others_have_length_one() -> None:
    activations = _activations(8, (1, 4, 3, 2))  # of one frame: no deviation
    values = clip_statistics(activations, ["std", "mean"], "none", normalised=True)
    assert not values[:24].any()
    assert np.linalg.norm(values[24:].astype(np.float64)) == pytest.approx(1, rel=1e-6)


def test_spatiotemporal_statistics_are_named_by_channels_alone() -> None:
    chosen = FeatureSettings(pooling="none", statistics=("spatiotemporal_std",))
    assert feature_names(chosen, (2, 7, 7)).tolist() == [
        "mobilenet_v2/features.18/0/all/all/spatiotemporal_std",
        "mobilenet_v2/features.18/1/all/all/spatiotemporal_std",
    ]


def test_small_deviation_beside_a_large_mean_is_kept() -> None:
    series = np.array([1000.0, 1000.001, 1000.0, 1000.001], np.float32).reshape(4, 1, 1, 1)
    found = clip_statistics(series, ["std"], "none")
    assert found[0] == pytest.approx(np.std(series.astype(np.float64)), rel=1e-6)


def test_order_of_frames_does_not_matter() -> None:
    activations = _activations(3, (7, 4, 2, 2))
    found = clip_statistics(activations, ["mean", "std"], "none")
    reversed_ = clip_statistics(activations[::-1], ["mean", "std"], "none")
    np.testing.assert_allclose(reversed_, found, rtol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "none"])
@pytest.mark.parametrize("statistics", [("mean",), ("std", "mean"), ("mean", "variance", "std")])
def test_there_is_one_name_per_value_and_no_two_alike(
    pooling: str, statistics: tuple[str, ...]
) -> None:
    chosen = FeatureSettings(pooling=pooling, statistics=statistics)
    names = feature_names(chosen, (4, 3, 2))
    values = clip_statistics(_activations(4, (5, 4, 3, 2)), statistics, pooling)
    assert names.shape == values.shape
    assert len(set(names.tolist())) == len(names)


def test_unpooled_name_leads_to_its_value() -> None:
    statistics = ("std", "mean")
    activations = _activations(5, (6, 4, 3, 2))
    chosen = FeatureSettings(pooling="none", statistics=statistics)
    values = clip_statistics(activations, statistics, "none")
    for name, value in zip(feature_names(chosen, (4, 3, 2)), values, strict=True):
        network, layer, channel, row, column, statistic = str(name).split("/")
        assert (network, layer) == ("mobilenet_v2", "features.18")
        series = activations[:, int(channel), int(row), int(column)].astype(np.float64)
        expected = NUMPY[statistic.removeprefix("temporal_")](series)
        assert value == pytest.approx(expected, rel=1e-6)


def test_pooled_name_leads_to_its_value() -> None:
    statistics = ("variance", "mean")
    activations = _activations(6, (6, 4, 3, 2))
    chosen = FeatureSettings(layer="features.4", statistics=statistics)
    values = clip_statistics(activations, statistics, "mean")
    for name, value in zip(feature_names(chosen, (4, 3, 2)), values, strict=True):
        network, layer, channel, row, column, statistic = str(name).split("/")
        assert (network, layer, row, column) == ("mobilenet_v2", "features.4", "mean", "mean")
        series = activations[:, int(channel)].astype(np.float64).mean(axis=(1, 2))
        expected = NUMPY[statistic.removeprefix("temporal_")](series)
        assert value == pytest.approx(expected, rel=1e-6)


def _difference_by_hand(statistic: str, series: list[float], onset: float, apex: float) -> float:
    """Follow one feature frame by frame."""
    changes = [value - onset for value in series]
    if statistic == "apex_difference":
        return apex - onset
    if statistic == "mean_difference":
        return sum(changes) / len(changes)
    largest = changes[0]
    for change in changes:
        if abs(change) > abs(largest):
            largest = change
    return largest


@settings(deadline=None)
@given(seed=SEEDS, shape=SHAPES, pooling=st.sampled_from(["mean", "none"]))
def test_differences_are_those_of_each_feature_followed_by_hand(
    seed: int, shape: tuple[int, int, int, int], pooling: str
) -> None:
    statistics = ("apex_difference", "max_difference", "mean_difference")
    activations, filmed = _activations(seed, shape), _activations(seed + 1, (2, *shape[1:]))
    found = clip_statistics(activations, statistics, pooling, filmed)
    together = np.concatenate([filmed, activations]).astype(np.float64)
    if pooling == "mean":
        together = together.mean(axis=(2, 3), keepdims=True)
    series = together.reshape(len(together), -1)
    expected = [
        _difference_by_hand(statistic, column[2:].tolist(), column[0], column[1])
        for statistic in statistics
        for column in series.T
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_differences_are_named_beside_statistics_over_time() -> None:
    chosen = FeatureSettings(statistics=("mean", "apex_difference"))
    assert feature_names(chosen, (1, 7, 7)).tolist() == [
        "mobilenet_v2/features.18/0/mean/mean/temporal_mean",
        "mobilenet_v2/features.18/0/mean/mean/apex_difference",
    ]


def _clip(n_frames: int, apex: int) -> FaceClip:
    frames = np.arange(n_frames, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 8, 8, 3), np.uint8
    )
    return FaceClip("c1", frames, np.full((n_frames, 68, 2), np.nan, np.float32), apex, 6)


@pytest.mark.parametrize(
    ("statistics", "n_interpolated", "filmed"),
    [
        (("mean", "std"), 6, None),
        (("apex_difference",), None, [0, 3]),
        (("max_difference",), 6, [0]),
        (("std", "apex_difference"), 6, [0, 3]),
    ],
)
def test_no_frames_are_made_that_no_statistic_needs(
    statistics: tuple[str, ...], n_interpolated: int | None, filmed: list[int] | None
) -> None:
    needed = needed_frames(_clip(5, 3), statistics)
    assert (None if needed.interpolated is None else len(needed.interpolated)) == n_interpolated
    assert (None if needed.filmed is None else needed.filmed[:, 0, 0, 0].tolist()) == filmed


def test_difference_of_a_single_frame_is_refused() -> None:
    with pytest.raises(
        MerecError, match=r"clip 'c1': two frames or more .* apex_difference, found 1"
    ):
        needed_frames(_clip(1, 0), ("mean", "apex_difference"))
    assert needed_frames(_clip(1, 0), ("mean",)).filmed is None
