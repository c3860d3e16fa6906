"""The features of a flow: their order, their names, and the means of grids."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.descriptors import grid_means_by_hand

from merec_hpc.config.faces import FaceSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.errors import MerecError
from merec_hpc.faces.reference import reference_landmarks
from merec_hpc.motion.descriptors import describe_flow, flow_names, grid_means
from merec_hpc.motion.directions import hoof, mdmo
from merec_hpc.motion.optical_flow import counted_motion, optical_strain
from merec_hpc.motion.regions import REGION_NAMES

SIZE = 48
LANDMARKS = reference_landmarks(FaceSettings(size_px=SIZE)).astype(np.float32)
NOWHERE = np.full((68, 2), np.nan, np.float32)
ALL = FlowSettings(
    outputs=("mdmo", "u", "v", "magnitude", "strain", "hoof"), grid=4, n_blocks=3, n_bins=5
)


@pytest.fixture
def flow(rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.normal(size=(SIZE, SIZE, 2)).astype(np.float32)


@pytest.fixture
def is_valid(rng: np.random.Generator) -> NDArray[np.bool_]:
    return rng.random((SIZE, SIZE)) < 0.8


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(3, 20), st.integers(3, 20), st.data())
def test_means_are_integrals_over_cells(
    seed: int, height: int, width: int, data: st.DataObject
) -> None:
    grid = data.draw(st.integers(1, min(height, width)))
    values = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    expected = grid_means_by_hand(values, grid)
    np.testing.assert_allclose(grid_means(values, grid), expected, rtol=1e-4, atol=1e-5)


def test_cell_of_the_default_is_8_by_8_pixels(rng: np.random.Generator) -> None:
    values = rng.normal(size=(224, 224)).astype(np.float32)
    means = grid_means(values, FlowSettings().grid)
    np.testing.assert_allclose(means[2, 5], values[16:24, 40:48].mean(), rtol=1e-4)


def test_grid_of_all_pixels_is_the_map(rng: np.random.Generator) -> None:
    values = rng.normal(size=(9, 9)).astype(np.float32)
    np.testing.assert_array_equal(grid_means(values, 9), values)


def test_finer_grid_than_the_face_is_refused(flow: NDArray[np.float32]) -> None:
    with pytest.raises(MerecError, match=r"^flow\.grid 49: .* found faces of 48 x 48$"):
        describe_flow(flow, None, LANDMARKS, FlowSettings(grid=49))


@pytest.mark.parametrize("weights", ["none", "bi_woof"])
def test_features_stand_in_the_order_of_the_outputs(
    flow: NDArray[np.float32], is_valid: NDArray[np.bool_], weights: str
) -> None:
    chosen = replace(ALL, hoof_weights=weights)
    counted, strain = counted_motion(flow, is_valid)
    u, v = counted[..., 0], counted[..., 1]
    expected = [
        mdmo(flow, is_valid, LANDMARKS, 5).ravel(),
        *(grid_means(each, 4).ravel() for each in (u, v, np.hypot(u, v), strain)),
        hoof(counted, strain, is_valid, 3, 5, chosen.hoof_weights).ravel(),
    ]
    found = describe_flow(flow, is_valid, LANDMARKS, chosen)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-6)
    backwards = describe_flow(flow, is_valid, LANDMARKS, replace(chosen, outputs=ALL.outputs[::-1]))
    assert sorted(found) == sorted(backwards)
    assert backwards[0] == found[-45]  # the first of the last block


@pytest.mark.parametrize("weights", ["none", "bi_woof"])
@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_names_are_distinct_and_as_many_as_features(
    flow: NDArray[np.float32], weights: str, method: str
) -> None:
    chosen = replace(ALL, hoof_weights=weights, method=method)
    names = flow_names(chosen)
    assert len(set(names)) == len(names) == len(describe_flow(flow, None, LANDMARKS, chosen))
    kind = "hoof" if weights == "none" else "bi_woof"
    assert names[0] == f"flow/{method}/{REGION_NAMES[0]}/mdmo/magnitude"
    assert names[1] == f"flow/{method}/{REGION_NAMES[0]}/mdmo/angle"
    assert names[72 + 6] == f"flow/{method}/1/2/u"
    assert names[72 + 16] == f"flow/{method}/0/0/v"
    assert names[72 + 32] == f"flow/{method}/0/0/magnitude"
    assert names[72 + 63] == f"flow/{method}/3/3/strain"
    assert names[-1] == f"flow/{method}/2/2/{kind}/4"


@pytest.mark.parametrize("output", ALL.outputs)
def test_names_say_where_the_motion_is(output: str) -> None:
    # Motion to the right in one place below the middle, on the right.
    flow = np.zeros((SIZE, SIZE, 2), np.float32)
    flow[25:35, 38:46] = [2, 1]
    chosen = replace(ALL, outputs=(output,))
    values = describe_flow(flow, None, LANDMARKS, chosen)
    moving = flow_names(chosen)[np.abs(values) > 1e-6]
    assert len(moving)
    parts = [name.split("/") for name in moving]
    if output == "mdmo":
        assert all(part[2].startswith("right_") for part in parts)
        return
    last = 2 if output == "hoof" else 3
    assert {part[3] for part in parts} == {str(last)} or output == "strain"
    assert all(int(part[2]) >= 1 for part in parts)


def test_default_is_u_v_and_strain_on_28_by_28() -> None:
    names = flow_names(FlowSettings())
    assert len(names) == 3 * 28 * 28
    assert names[0] == "flow/dis/0/0/u"
    assert names[-1] == "flow/dis/27/27/strain"


def test_what_was_not_filmed_counts_as_0(flow: NDArray[np.float32]) -> None:
    is_valid = np.ones((SIZE, SIZE), bool)
    is_valid[:, :24] = False
    chosen = FlowSettings(outputs=("u", "strain"), grid=2)
    found = describe_flow(flow, is_valid, NOWHERE, chosen).reshape(2, 2, 2)
    assert not found[:, :, 0].any()
    np.testing.assert_allclose(found[0, 0, 1], flow[:24, 24:, 0].mean(), rtol=1e-3, atol=1e-6)
    strain = optical_strain(flow)
    np.testing.assert_allclose(found[1, 0, 1], strain[:24, 24:].mean(), rtol=1e-3)


def test_only_regions_need_landmarks(flow: NDArray[np.float32]) -> None:
    without = replace(ALL, outputs=ALL.outputs[1:])
    assert np.isfinite(describe_flow(flow, None, NOWHERE, without)).all()
    said = r"^flow\.outputs mdmo: landmarks expected, found none \(faces\.registration none\)$"
    with pytest.raises(MerecError, match=said):
        describe_flow(flow, None, NOWHERE, ALL)


def test_still_face_is_0_throughout() -> None:
    still = np.zeros((SIZE, SIZE, 2), np.float32)
    for weights in ("none", "bi_woof"):
        chosen = replace(ALL, hoof_weights=weights)
        assert not describe_flow(still, None, LANDMARKS, chosen).any()
