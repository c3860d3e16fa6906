"""Turns the flow from the onset to the apex into named features."""

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.motion import FlowOutput, FlowSettings
from merec_hpc.errors import MerecError
from merec_hpc.motion.directions import hoof, mdmo
from merec_hpc.motion.optical_flow import Flow, Strain, Valid, counted_motion
from merec_hpc.motion.regions import REGION_NAMES

Map = NDArray[np.float32]  # (h, w)


def flow_names(settings: FlowSettings) -> NDArray[np.str_]:
    """Name the features, output by output.

    ``flow/{method}/{row}/{column}/{u, v, magnitude or strain}``,
    ``flow/{method}/{row}/{column}/{hoof or bi_woof}/{bin}`` and
    ``flow/{method}/{region}/mdmo/{magnitude or angle}``.
    """
    names = [name for output in settings.outputs for name in _names_of(output, settings)]
    return np.array([f"flow/{settings.method}/{name}" for name in names])


def describe_flow(
    flow: Flow,
    is_valid: Valid | None,
    landmarks: NDArray[np.floating],
    settings: FlowSettings,
) -> NDArray[np.float32]:
    """Return the features of a flow in the order of ``flow_names``, (n_features,).

    Parameters
    ----------
    flow
        (h, w, 2), in pixels.
    is_valid
        (h, w), pixels that the camera filmed. Elsewhere flow and strain are 0 in maps, and
        directions do not count.
    landmarks
        (68, 2), of the onset frame on the registered face; only ``mdmo`` reads them.

    Raises
    ------
    MerecError
        If there are more cells or blocks than pixels, or ``mdmo`` without landmarks.
    """
    counted, strain = counted_motion(flow, is_valid)
    blocks = [
        _describe(output, counted, strain, is_valid, landmarks, settings).ravel()
        for output in settings.outputs
    ]
    return np.concatenate(blocks).astype(np.float32)


def grid_means(values: Map, grid: int) -> Map:
    """Return the mean of a map, (h, w), in each cell of a grid, (grid, grid).

    Where the grid does not divide the map, a pixel counts by the part that lies in the cell.

    Raises
    ------
    MerecError
        If there are more cells than pixels.
    """
    height, width = values.shape
    if grid > min(height, width):
        msg = (
            f"flow.grid {grid}: at most as many cells as pixels expected, found faces of "
            f"{height} x {width}"
        )
        raise MerecError(msg)
    means = cv2.resize(np.ascontiguousarray(values), (grid, grid), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32)


def _describe(
    output: FlowOutput,
    flow: Flow,
    strain: Strain,
    is_valid: Valid | None,
    landmarks: NDArray[np.floating],
    settings: FlowSettings,
) -> NDArray[np.floating]:
    if output == "hoof":
        return hoof(
            flow, strain, is_valid, settings.n_blocks, settings.n_bins, settings.hoof_weights
        )
    if output == "mdmo":
        if not np.isfinite(landmarks).all():
            msg = "flow.outputs mdmo: landmarks expected, found none (faces.registration none)"
            raise MerecError(msg)
        return mdmo(flow, is_valid, landmarks, settings.n_bins)
    return grid_means(_map_of(output, flow, strain), settings.grid)


def _map_of(output: FlowOutput, flow: Flow, strain: Strain) -> Map:
    if output == "strain":
        return strain
    u, v = flow[..., 0], flow[..., 1]
    if output == "magnitude":
        return np.hypot(u, v)
    return u if output == "u" else v


def _names_of(output: FlowOutput, settings: FlowSettings) -> list[str]:
    """Name the features of one output."""
    if output == "mdmo":
        return [f"{name}/mdmo/{part}" for name in REGION_NAMES for part in ("magnitude", "angle")]
    if output == "hoof":
        kind = "hoof" if settings.hoof_weights == "none" else settings.hoof_weights
        return [
            f"{place}/{kind}/{number}"
            for place in _places(settings.n_blocks)
            for number in range(settings.n_bins)
        ]
    return [f"{place}/{output}" for place in _places(settings.grid)]


def _places(number: int) -> list[str]:
    """Name the cells of a grid, row by row."""
    return [f"{row}/{column}" for row in range(number) for column in range(number)]
