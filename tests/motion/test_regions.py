"""The 36 regions: where they lie, that they mirror each other, and which pixels they hold."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.descriptors import distance_to_outline, is_inside

from merec_hpc.config.faces import FaceSettings
from merec_hpc.faces.reference import MIRRORED, reference_landmarks
from merec_hpc.motion.regions import (
    GROUP_OF,
    GROUPS,
    REGION_NAMES,
    region_masks,
    region_polygons,
)

SIZE = 224
LANDMARKS = reference_landmarks(FaceSettings(size_px=SIZE))


def _mirror_name(name: str) -> str:
    side, _, rest = name.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)


def test_there_are_36_of_six_groups() -> None:
    assert len(REGION_NAMES) == len(set(REGION_NAMES)) == 36
    assert tuple(GROUP_OF) == REGION_NAMES
    assert set(GROUP_OF.values()) == set(GROUPS)
    assert {"left_brow_inner", "right_mouth_corner", "between_brows", "chin"} <= set(REGION_NAMES)


def test_every_region_has_its_mirror_image_of_the_same_group() -> None:
    for name in REGION_NAMES:
        assert GROUP_OF[_mirror_name(name)] == GROUP_OF[name]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_mirrored_face_has_mirrored_regions(seed: int) -> None:
    points = LANDMARKS + np.random.default_rng(seed).normal(0, 5, (68, 2))
    mirrored = points[MIRRORED] * [-1, 1]
    found = dict(zip(REGION_NAMES, region_polygons(points), strict=True))
    seen = dict(zip(REGION_NAMES, region_polygons(mirrored), strict=True))
    for name in REGION_NAMES:
        there = {tuple(vertex) for vertex in np.round(found[name] * [-1, 1], 6) + 0.0}
        assert {tuple(vertex) for vertex in np.round(seen[_mirror_name(name)], 6) + 0.0} == there


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 2**32))
def test_masks_hold_the_pixels_within_the_polygons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = LANDMARKS + rng.normal(0, 1, (68, 2))
    masks = region_masks(points, SIZE)
    assert masks.shape == (36, SIZE, SIZE)
    assert masks.dtype == bool
    for mask, polygon in zip(masks, region_polygons(points), strict=True):
        low, high = polygon.min(axis=0) - 5, polygon.max(axis=0) + 5
        for x, y in rng.integers(np.maximum(low, 0), np.minimum(high, SIZE), (40, 2)).tolist():
            # Vertices are rounded to pixels: nearer than that, either answer is right.
            if distance_to_outline(polygon, x, y) > 1.5:
                assert mask[y, x] == is_inside(polygon, x, y)


def test_regions_overlap_in_their_edges_alone_and_cover_the_face() -> None:
    masks = region_masks(LANDMARKS, SIZE)
    assert masks.any(axis=(1, 2)).all()
    assert masks.sum(axis=(1, 2)).min() > 100
    counts = masks.sum(axis=0)
    without_edges = [cv2.erode(mask.astype(np.uint8), np.ones((3, 3))) for mask in masks]
    assert np.sum(without_edges, axis=0).max() == 1
    # The forehead lies above the hull of the landmarks; eyes and mouth are holes.
    rows, columns = np.nonzero(counts)
    assert rows.min() < LANDMARKS[17:27, 1].min() - 20
    eye = LANDMARKS[36:42].mean(axis=0).round().astype(int)
    mouth = LANDMARKS[60:68].mean(axis=0).round().astype(int)
    for x, y in (eye, mouth):
        assert counts[y, x] == 0
    assert columns.min() >= LANDMARKS[:, 0].min() - 1


@pytest.mark.parametrize(
    ("name", "landmark", "shift"),
    [
        ("left_brow_inner", 20, (0, 4)),
        ("right_brow_outer", 25, (0, 4)),
        ("left_forehead_outer", 18, (0, -6)),
        ("between_brows", 27, (0, -8)),
        ("left_eye_lower", 41, (0, 4)),
        ("nose", 29, (0, 0)),
        ("philtrum", 51, (0, -4)),
        ("lower_lip", 57, (0, -3)),
        ("left_mouth_corner", 48, (-4, 0)),
        ("right_mouth_corner", 54, (4, 0)),
        ("chin", 57, (0, 8)),
        ("left_jaw", 4, (8, 0)),
    ],
)
def test_region_is_where_its_name_says(name: str, landmark: int, shift: tuple[int, int]) -> None:
    x, y = (LANDMARKS[landmark] + shift).round().astype(int)
    masks = region_masks(LANDMARKS, SIZE)
    assert [REGION_NAMES[number] for number in np.flatnonzero(masks[:, y, x])] == [name]


def test_regions_outside_of_the_face_are_empty() -> None:
    masks = region_masks(LANDMARKS + np.array([0, 1000]), SIZE)
    assert not masks.any()
