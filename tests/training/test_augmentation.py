"""Changes of images are those that are drawn, and OpenCV makes the same."""

import math
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from merec_hpc.config.base import from_json
from merec_hpc.config.training import AugmentationSettings
from merec_hpc.errors import MerecError
from merec_hpc.training.augmentation import NOTHING, changed, drawn_change

PAPER_4 = AugmentationSettings(
    rotations_deg=(-10, -5, 0, 5, 10),
    skews=(-0.1, 0, 0.1),
    scales=(0.9, 0.95, 1, 1.05, 1.1),
    shifts_px=(0, 1, 2, 3, 4, 5),
    flip=True,
)


def images(n_images: int, height: int = 40, width: int = 60) -> torch.Tensor:
    """Smooth ones, so that ways to interpolate hardly differ."""
    rng = np.random.default_rng(2)
    noise = rng.uniform(0, 255, (n_images, height, width, 3)).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), 4) for one in noise])
    return torch.from_numpy(smooth).permute(0, 3, 1, 2)


def by_opencv(image: NDArray[np.float32], affine: NDArray[np.float64]) -> NDArray[np.float32]:
    """The image, (h, w, 3), read at affine * (pixel less the centre) plus the centre."""
    centre = (np.array([image.shape[1], image.shape[0]]) - 1) / 2
    matrix = affine.copy()
    matrix[:, 2] += centre - affine[:, :2] @ centre
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (image.shape[1], image.shape[0])
    return np.asarray(
        cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT), np.float32
    )


def test_warps_are_opencvs() -> None:
    """To 0.2 of 255 grey levels: OpenCV rounds places to a 32nd of a pixel."""
    batch = images(30)
    changes = [drawn_change(PAPER_4, 0, 0, place) for place in range(30)]
    assert len({change.affine.tobytes() for change in changes}) > 25
    found = changed(batch, changes).permute(0, 2, 3, 1).numpy()
    for image, change, one in zip(batch.permute(0, 2, 3, 1).numpy(), changes, found, strict=True):
        expected = by_opencv(np.ascontiguousarray(image), change.affine)
        assert np.abs(one - expected).max() < 0.2
        assert np.abs(one - image).max() > 1


def test_affine_is_equation_8_of_paper_4() -> None:
    """Rotation times skew and shift, with the scale of what is seen."""
    settings = AugmentationSettings(
        rotations_deg=(10,), skews=(0.1,), scales=(1.1,), shifts_px=(3,)
    )
    affine = drawn_change(settings, 0, 0, 0).affine
    angle = math.radians(10)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    expected = np.diag([1 / 1.1, 1 / 1.1]) @ turn @ np.array([[1, 0.1, -3], [0.1, 1, -3]])
    np.testing.assert_allclose(affine, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "affine"),
    [
        ({"scales": (2.0,)}, [[0.5, 0, 0], [0, 0.5, 0]]),
        ({"rotations_deg": (90,)}, [[0, 1, 0], [-1, 0, 0]]),
        ({"shifts_px": (4,)}, [[1, 0, -4], [0, 1, -4]]),
    ],
)
def test_each_key_does_what_it_says(changes: dict[str, Any], affine: list[list[float]]) -> None:
    found = drawn_change(AugmentationSettings(**changes), 0, 0, 0).affine
    np.testing.assert_allclose(found, affine, atol=1e-12)


def test_flip_is_drawn_for_half_of_the_images_and_mirrors_exactly() -> None:
    settings = AugmentationSettings(flip=True)
    changes = [drawn_change(settings, 0, 0, place) for place in range(400)]
    mirrored = [change.affine[0, 0] == -1 for change in changes]
    assert 160 < sum(mirrored) < 240
    batch = images(1)
    found = changed(batch, [changes[mirrored.index(True)]])
    torch.testing.assert_close(found, batch.flip(3), rtol=0, atol=1e-3)


def test_shift_moves_to_the_right_and_down() -> None:
    batch = torch.zeros(1, 3, 20, 20)
    batch[:, :, 5, 6] = 100
    found = changed(batch, [drawn_change(AugmentationSettings(shifts_px=(3,)), 0, 0, 0)])
    assert found[0, 0, 8, 9] == pytest.approx(100, abs=1e-3)


def test_percentiles_become_black_and_white() -> None:
    batch = images(2)
    settings = AugmentationSettings(low_percentiles=(10,), high_percentiles=(80,))
    found = changed(batch, [drawn_change(settings, 0, 0, place) for place in range(2)]).numpy()
    for one, image in zip(found, batch.numpy(), strict=True):
        for channel, values in zip(one, image, strict=True):
            low, high = np.percentile(values, [10, 80])
            expected = np.clip((values - low) / (high - low), 0, 1) * 255
            np.testing.assert_allclose(channel, expected, atol=0.01)


def test_channel_of_one_value_stays_as_it_is() -> None:
    batch = torch.full((1, 3, 8, 8), 77.0)
    settings = AugmentationSettings(low_percentiles=(10,), high_percentiles=(80,))
    assert torch.equal(changed(batch, [drawn_change(settings, 0, 0, 0)]), batch)


def test_contrast_and_brightness_are_factors_within_bounds() -> None:
    batch = images(1)
    settings = AugmentationSettings(brightness=0.2, contrast=0.3)
    changes = [drawn_change(settings, 0, 0, place) for place in range(200)]
    for name, largest in (("brightness", 0.2), ("contrast", 0.3)):
        factors = np.array([getattr(change, name) for change in changes])
        assert np.abs(factors - 1).max() <= largest
        assert factors.min() < 1 - 0.8 * largest
        assert factors.max() > 1 + 0.8 * largest
    change = changes[0]
    image = batch[0].double().numpy()
    expected = ((image - image.mean()) * change.contrast + image.mean()) * change.brightness
    found = changed(batch, [change])[0].numpy()
    np.testing.assert_allclose(found, np.clip(expected, 0, 255), atol=0.01)


def test_an_image_does_not_depend_on_its_neighbours() -> None:
    batch = images(5)
    changes = [drawn_change(PAPER_4, 3, 2, place) for place in range(5)]
    together = changed(batch, changes)
    for place in range(5):
        alone = changed(batch[place : place + 1], changes[place : place + 1])[0]
        torch.testing.assert_close(alone, together[place], rtol=0, atol=1e-3)


def test_changes_are_other_ones_in_each_epoch_image_and_seed() -> None:
    def drawn(*place: int) -> list[float]:
        return drawn_change(PAPER_4, *place).affine.ravel().tolist()

    assert drawn(0, 1, 2) == drawn(0, 1, 2)
    others = [drawn(0, 1, 3), drawn(0, 2, 2), drawn(1, 1, 2)]
    assert all(other != drawn(0, 1, 2) for other in others)


def test_without_settings_nothing_changes() -> None:
    batch = images(2)
    change = drawn_change(NOTHING, 0, 0, 0)
    assert torch.equal(changed(batch, [change, change]), batch)


@pytest.mark.parametrize(
    "percentiles", ['"low_percentiles": [50], "high_percentiles": [40]', '"low_percentiles": [-1]']
)
def test_percentiles_that_cross_are_refused(percentiles: str) -> None:
    with pytest.raises(MerecError, match="the low ones below the high ones"):
        from_json(AugmentationSettings, f"{{{percentiles}}}")
