"""Draws flow and strain in colours, for people."""

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.motion.optical_flow import Flow, Strain, Valid, counted_motion

Picture = NDArray[np.uint8]  # (h, w, 3), RGB
_NEARLY_ALL = 99.5  # per cent of the pixels: single ones may be far off


def flow_picture(flow: Flow, largest_px: float) -> Picture:
    """Return a flow, (h, w, 2), as colours: white stands still, full colour is ``largest_px``.

    The hue is the direction: red moves to the right, yellow-green down, cyan to the left, violet
    up. What is faster than ``largest_px`` is as one that is as fast.

    Raises
    ------
    ValueError
        If ``largest_px`` is not above 0.
    """
    u, v = np.moveaxis(flow.astype(np.float64), 2, 0)
    strength = _relative(np.hypot(u, v), largest_px)
    hue = np.arctan2(v, u) / (2 * np.pi) * 6  # sixths of the circle
    # Each primary colour is full within a sixth of its own hue, and fades in the next.
    away = np.abs((hue[..., None] - np.array([0, 2, 4]) + 3) % 6 - 3)
    colours = np.clip(2 - away, 0, 1)
    return _bytes(1 - strength[..., None] * (1 - colours))


def strain_picture(strain: Strain, largest: float) -> Picture:
    """Return a strain, (h, w), as colours: from black, by red, to pale yellow at ``largest``.

    Raises
    ------
    ValueError
        If ``largest`` is not above 0.
    """
    levels = _bytes(_relative(strain.astype(np.float64), largest))
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1], np.uint8)


def motion_pictures(flow: Flow, is_valid: Valid) -> list[Picture]:
    """Return pictures of a flow and of its strain, each relative to nearly its own largest.

    Less than a tenth of a pixel, and a strain of 0.01, is noise: it is not drawn as if it were much.
    """
    counted, strain = counted_motion(flow, is_valid)
    largest_px, largest = (
        max(float(np.percentile(values, _NEARLY_ALL)), least)
        for values, least in ((np.hypot(*np.moveaxis(counted, 2, 0)), 0.1), (strain, 0.01))
    )
    return [flow_picture(counted, largest_px), strain_picture(strain, largest)]


def _relative(values: NDArray[np.float64], largest: float) -> NDArray[np.float64]:
    """Return values relative to the largest, at most 1."""
    if not largest > 0:
        msg = f"largest must be above 0, is {largest}"
        raise ValueError(msg)
    return np.minimum(values / largest, 1)


def _bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(255 * values).astype(np.uint8)
