"""Flow and strain in colours."""

from colorsys import hsv_to_rgb
from math import atan2, hypot, pi

import numpy as np
import pytest

from merec_hpc.motion.flow_picture import flow_picture, motion_pictures, strain_picture
from merec_hpc.motion.optical_flow import optical_strain


def test_colours_are_hue_for_direction_and_saturation_for_speed(rng: np.random.Generator) -> None:
    flow = rng.normal(size=(20, 15, 2)).astype(np.float32)
    picture = flow_picture(flow, 1.5)
    assert picture.shape == (20, 15, 3)
    assert picture.dtype == np.uint8
    for y in range(20):
        for x in range(15):
            u, v = map(float, flow[y, x])
            colour = hsv_to_rgb(atan2(v, u) / (2 * pi) % 1, min(hypot(u, v) / 1.5, 1), 1)
            np.testing.assert_allclose(picture[y, x], np.multiply(255, colour), atol=0.51)


@pytest.mark.parametrize(
    ("vector", "colour"),
    [
        ((0, 0), (255, 255, 255)),
        ((2, 0), (255, 0, 0)),
        ((9, 0), (255, 0, 0)),
        ((1, 0), (255, 128, 128)),
        ((-2, 0), (0, 255, 255)),
        ((0, 2), (128, 255, 0)),
        ((0, -2), (128, 0, 255)),
    ],
)
def test_wheel_begins_with_red_on_the_right(
    vector: tuple[float, float], colour: tuple[int, int, int]
) -> None:
    picture = flow_picture(np.full((2, 2, 2), vector, np.float32), 2)
    np.testing.assert_array_equal(picture, np.broadcast_to(colour, (2, 2, 3)))


def test_strain_is_brighter_the_larger_it_is() -> None:
    strain = np.linspace(0, 0.1, 256, dtype=np.float32)[None]
    picture = strain_picture(strain, 0.1)
    assert picture.shape == (1, 256, 3)
    assert picture.dtype == np.uint8
    brightness = picture[0] @ [0.299, 0.587, 0.114]
    assert (np.diff(brightness) > -1).all()
    assert brightness[0] < 5
    assert brightness[-1] > 230
    assert picture[0, 128, 0] > picture[0, 128, 2] + 50  # red in the middle, not blue
    np.testing.assert_array_equal(
        strain_picture(5 * strain, 0.1)[0, -100:], picture[:, -1:][0].repeat(100, 0)
    )


@pytest.mark.parametrize("largest", [0.0, -1.0, float("nan")])
def test_largest_must_be_above_0(largest: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        flow_picture(np.zeros((2, 2, 2), np.float32), largest)
    with pytest.raises(ValueError, match="above 0"):
        strain_picture(np.zeros((2, 2), np.float32), largest)


def test_pictures_of_a_motion_are_relative_to_nearly_its_largest() -> None:
    flow = np.zeros((40, 40, 2), np.float32)
    flow[10:30, 10:30] = 2.0
    flow[20, 20] = 100.0  # a single pixel that is far off
    filmed = np.ones((40, 40), np.bool_)
    filmed[:, :12] = False
    picture, strain = motion_pictures(flow, filmed)
    counted = np.where(filmed[..., None], flow, 0)
    np.testing.assert_array_equal(picture, flow_picture(counted, float(np.hypot(2, 2))))
    assert (picture[:, :12] == 255).all()
    assert (strain[:, :12] == strain_picture(np.zeros((1, 1), np.float32), 1)[0, 0]).all()
    assert optical_strain(flow)[filmed].max() > 1


def test_noise_is_not_drawn_as_if_it_were_much() -> None:
    rng = np.random.default_rng(0)
    still = rng.normal(0, 0.0003, (40, 40, 2)).astype(np.float32)
    picture, strain = motion_pictures(still, np.ones((40, 40), np.bool_))
    assert picture.min() > 240
    assert strain.max() < 100
