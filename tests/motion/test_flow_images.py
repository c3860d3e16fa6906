"""Flow as an image for networks."""

import numpy as np
import pytest
from oracles.descriptors import grid_means_by_hand, strain_by_hand

from merec_hpc.motion.flow_images import flow_images
from merec_hpc.motion.optical_flow import optical_strain


@pytest.mark.parametrize("size_px", [7, 8, 12, 24])
def test_channels_are_means_of_u_v_and_strain(rng: np.random.Generator, size_px: int) -> None:
    flow = rng.normal(size=(24, 24, 2)).astype(np.float32)
    image = flow_images(flow, None, size_px)
    assert image.shape == (size_px, size_px, 3)
    assert image.dtype == np.float32
    maps = (flow[..., 0], flow[..., 1], strain_by_hand(flow).astype(np.float32))
    for channel, expected in enumerate(maps):
        means = grid_means_by_hand(expected, size_px)
        np.testing.assert_allclose(image[..., channel], means, rtol=1e-4, atol=1e-5)


def test_image_of_the_size_of_the_face_is_the_flow_itself(rng: np.random.Generator) -> None:
    flow = rng.normal(size=(224, 224, 2)).astype(np.float32)
    image = flow_images(flow, None, 224)
    np.testing.assert_array_equal(image[..., :2], flow)
    np.testing.assert_array_equal(image[..., 2], optical_strain(flow))


def test_larger_image_keeps_pixels_of_the_face_and_is_smooth() -> None:
    ramp = np.broadcast_to(np.arange(28, dtype=np.float32)[:, None, None], (28, 28, 2))
    image = flow_images(np.ascontiguousarray(ramp), None, 56)
    assert image[..., 0].max() == 27  # not 54
    np.testing.assert_allclose(np.diff(image[1:-1, 0, 1]), 0.5, rtol=1e-4)


def test_what_was_not_filmed_is_0(rng: np.random.Generator) -> None:
    flow = rng.normal(size=(56, 56, 2)).astype(np.float32)
    is_valid = np.ones((56, 56), bool)
    is_valid[:28] = False
    image = flow_images(flow, is_valid, 28)
    assert not image[:14].any()
    np.testing.assert_array_equal(image[14:], flow_images(flow, None, 28)[14:])
