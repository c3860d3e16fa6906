"""Flow and strain in colours."""

from colorsys import hsv_to_rgb
from math import atan2, hypot, pi

import numpy as np
import pytest

from merec_hpc.motion.flow_picture import flow_picture, strain_picture


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
