"""The 36 regions of a face in which motion is described: polygons between the landmarks.

Made after those of MDMO (Liu et al.: A main directional mean optical flow feature for
spontaneous micro-expression recognition, IEEE TAFFC 2016, doi:10.1109/TAFFC.2015.2485205), which
fit other landmarks. Left and right are as seen in the image. The eyes themselves and the
inside of the mouth belong to no region.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.faces.reference import MIRRORED

Weights = NDArray[np.float64]  # (68,), of sum 1: a vertex is this mean of the landmarks

GROUPS = ("brows", "eyes", "nose", "cheeks", "mouth", "chin")


def _at(*landmarks: int) -> Weights:
    """Return the middle of landmarks."""
    weights = np.zeros(68)
    np.add.at(weights, list(landmarks), 1 / len(landmarks))
    return weights


def _between(first: Weights, second: Weights) -> Weights:
    return (first + second) / 2


def _raised(landmark: int) -> Weights:
    """Return a point on the forehead: 0.6 of the length of the nose above a landmark."""
    return _at(landmark) + 0.6 * (_at(27) - _at(30))


def _lowered(landmark: int) -> Weights:
    """Return a point below the eye: a quarter of the length of the nose below a landmark."""
    return _at(landmark) + 0.25 * (_at(30) - _at(27))


_CHEEK = _between(_at(48), _lowered(41))  # the middle of the left cheek
_ABOVE_CORNER, _BELOW_CORNER = _between(_at(48), _CHEEK), _at(48, 4)  # of the mouth
_LID = [_at(17, 36), _at(19, 37), _at(20, 38), _at(21, 39)]  # half-way from brow to eye
_RIDGE = [_at(27, 39), _at(29, 31)]  # the left side of the ridge of the nose

# Regions of the left half of the face: group and vertices. The right half mirrors them.
_LEFT: Mapping[str, tuple[str, Sequence[Weights]]] = {
    "forehead_outer": (
        "brows",
        [*map(_at, (17, 18, 19)), *map(_raised, (19, 18, 17))],
    ),
    "forehead_inner": ("brows", [*map(_at, (19, 20, 21)), *map(_raised, (21, 20, 19))]),
    "brow_outer": ("brows", [*map(_at, (17, 18, 19)), *_LID[1::-1]]),
    "brow_inner": ("brows", [*map(_at, (19, 20, 21)), *_LID[:0:-1]]),
    "eye_upper": ("eyes", [*_LID, *map(_at, (39, 38, 37, 36))]),
    "eye_lower": ("eyes", [*map(_at, (36, 41, 40, 39)), *map(_lowered, (39, 40, 41, 36))]),
    "eye_outer": ("eyes", [_at(0), _at(17), _LID[0], _at(36), _lowered(36), _at(1)]),
    "nose_side": ("nose", [_at(39), *_RIDGE, _at(31), _lowered(39)]),
    "cheek_inner": ("cheeks", [*map(_lowered, (39, 40, 41)), _CHEEK, _at(31)]),
    "cheek_outer": ("cheeks", [_lowered(41), _lowered(36), _at(1), _at(2), _CHEEK]),
    "nasolabial": ("cheeks", [_at(31), _CHEEK, _ABOVE_CORNER, _at(49)]),
    "cheek_lower": ("cheeks", [_CHEEK, _at(2), _at(3), _BELOW_CORNER, _ABOVE_CORNER]),
    "upper_lip": ("mouth", [*map(_at, (48, 49, 50, 51, 62, 61, 60))]),
    "mouth_corner": ("mouth", [_at(48), _at(49), _ABOVE_CORNER, _BELOW_CORNER, _at(59)]),
    "jaw": ("chin", [_BELOW_CORNER, *map(_at, (3, 4, 5, 6, 59))]),
}
# Regions across the middle: their left half, from top to bottom; its mirror image closes them.
_MIDDLE: Mapping[str, tuple[str, Sequence[Weights]]] = {
    "forehead_middle": ("brows", [_raised(21), _at(21)]),
    "between_brows": ("brows", [_at(21), _LID[3], _at(27, 39), _at(27)]),
    "nose": ("nose", [_at(27), *_RIDGE, *map(_at, (31, 32, 33))]),
    "philtrum": ("mouth", [*map(_at, (33, 32, 31, 49, 50, 51))]),
    "lower_lip": ("mouth", [*map(_at, (66, 67, 60, 48, 59, 58, 57))]),
    "chin": ("chin", [*map(_at, (57, 58, 59, 6, 7, 8))]),
}


def _mirrored(vertices: Sequence[Weights]) -> list[Weights]:
    return [vertex[MIRRORED] for vertex in vertices]


def _all_regions() -> dict[str, tuple[str, list[Weights]]]:
    """Return group and vertices of all regions: left, right, across the middle."""
    left = {f"left_{name}": (group, list(points)) for name, (group, points) in _LEFT.items()}
    right = {f"right_{name}": (group, _mirrored(points)) for name, (group, points) in _LEFT.items()}
    middle = {
        name: (group, [*points, *_mirrored(points)[::-1]])
        for name, (group, points) in _MIDDLE.items()
    }
    return left | right | middle


_REGIONS = _all_regions()
REGION_NAMES = tuple(_REGIONS)
GROUP_OF: Mapping[str, str] = {name: group for name, (group, _) in _REGIONS.items()}
"""Of each region, which of ``GROUPS`` it belongs to."""


def region_polygons(landmarks: NDArray[np.floating]) -> list[NDArray[np.float64]]:
    """Return the vertices of each region, (n_vertices, 2), in the unit of the landmarks.

    Parameters
    ----------
    landmarks
        (68, 2), in the order of iBUG, (x, y).
    """
    return [np.stack(vertices) @ landmarks for _, vertices in _REGIONS.values()]


def region_masks(landmarks: NDArray[np.floating], size: int) -> NDArray[np.bool_]:
    """Return which pixels of a registered face lie in each region, (36, size, size).

    Vertices are rounded to pixels. Those on an edge belong to the regions on both sides; a
    region outside of the face holds none.
    """
    masks = np.zeros((len(REGION_NAMES), size, size), np.uint8)
    for mask, polygon in zip(masks, region_polygons(landmarks), strict=True):
        cv2.fillPoly(mask, [np.rint(polygon).astype(np.int32)], 1)
    return masks.astype(np.bool_)
