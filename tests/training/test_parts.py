"""Losses and target maps of paper 4, by loops in NumPy."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from training.stills import landmarked_stills, simulated_stills

from merec_hpc.config.training import AugmentationSettings, PartsSettings, TrainingSettings
from merec_hpc.errors import MerecError
from merec_hpc.networks.registry import NETWORKS
from merec_hpc.records import Images
from merec_hpc.training.augmentation import changed, drawn_change, moved_points
from merec_hpc.training.loop import train
from merec_hpc.training.parts import contiguity, parts_loss, sparsity, target_maps

SMALL: dict[str, Any] = {"part_channels": (8, 16), "channels": (4,), "n_hidden": 8}


def test_target_map_is_a_sum_of_gaussians() -> None:
    rng = np.random.default_rng(0)
    landmarks = rng.uniform(-2, 22, (3, 5, 2))
    found = target_maps(landmarks, 20, 2.5)
    for image, points in zip(found, landmarks, strict=True):
        expected = np.zeros((20, 20))
        for row in range(20):
            for column in range(20):
                for x, y in points:
                    square = (column - x) ** 2 + (row - y) ** 2
                    expected[row, column] += np.exp(-square / (2 * 2.5**2))
        np.testing.assert_allclose(image, expected / max(expected.max(), 1), rtol=1e-5, atol=1e-7)


def test_landmarks_far_outside_are_nowhere() -> None:
    assert not target_maps(np.full((1, 2, 2), 1e4), 20, 2.5).any()


def test_sparsity_and_contiguity_are_equations_6_and_7() -> None:
    maps = np.random.default_rng(1).normal(size=(2, 4, 6))
    sizes, steps = [], []
    for one in maps:
        sizes.append(sum(abs(value) for value in one.ravel()) / 24)
        down = sum(abs(one[i + 1, j] - one[i, j]) for i in range(3) for j in range(6))
        across = sum(abs(one[i, j + 1] - one[i, j]) for i in range(4) for j in range(5))
        steps.append((down + across) / 24)
    np.testing.assert_allclose(sparsity(torch.from_numpy(maps)), sizes)
    np.testing.assert_allclose(contiguity(torch.from_numpy(maps)), steps)


def test_supervisions_are_their_sums() -> None:
    rng = np.random.default_rng(2)
    maps, targets = (
        torch.from_numpy(rng.normal(size=(2, 1, 5, 5))),
        torch.from_numpy(rng.uniform(size=(2, 5, 5))),
    )
    full = ((targets - maps[:, 0]) ** 2).mean((1, 2))
    weak = sparsity(maps[:, 0]) + 0.3 * contiguity(maps[:, 0])
    for supervision, expected in (
        ("none", torch.zeros(2, dtype=torch.float64)),
        ("full", full),
        ("weak", weak),
        ("hybrid", full + 0.1 * weak),
    ):
        settings = PartsSettings(supervision=supervision, contiguity=0.3, weak_share=0.1)  # type: ignore[arg-type]
        torch.testing.assert_close(parts_loss(maps, targets, settings), expected)


def test_classes_alone_move_the_relevance_map() -> None:
    """Its gradient comes through the e-blocks."""
    torch.manual_seed(0)
    network = NETWORKS["facial_parts"].build(n_classes=3, input_px=16, **SMALL)
    scores = network(torch.rand(4, 3, 16, 16))
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1, 2, 0])).backward()
    slopes = [values.grad for values in network.facial_parts.parameters()]
    assert all(slope is not None and slope.abs().sum() > 0 for slope in slopes)


def test_points_move_as_pixels_do() -> None:
    settings = AugmentationSettings(
        flip=True, rotations_deg=(-10, 10), skews=(0.1,), scales=(0.9, 1.1), shifts_px=(0, 4)
    )
    rows, columns = np.mgrid[:48, :60]
    for place in range(20):
        change = drawn_change(settings, 0, 0, place)
        point = np.array([[22.0, 27.0]])
        spot = np.exp(-((columns - 22) ** 2 + (rows - 27) ** 2) / 18).astype(np.float32)
        image = torch.from_numpy(np.broadcast_to(100 * spot, (1, 3, 48, 60)).copy())
        found = changed(image, [change])[0, 0].numpy()
        middle = np.array([(found * columns).sum(), (found * rows).sum()]) / found.sum()
        np.testing.assert_allclose(moved_points(point, change, 48, 60)[0], middle, atol=0.05)


def facial_parts(**changes: Any) -> TrainingSettings:
    given: dict[str, Any] = {
        "network": "facial_parts",
        "choices": {**SMALL, "n_expression_blocks": 1, "dropout": 0.0},
        "input_px": 32,
        "n_epochs": 40,
        "batch_size": 18,
        "n_validation_subjects": 0,
        "learning_rate": 0.003,
        "parts": PartsSettings(supervision="full", weight=10.0, sigma_px=3.0),
    }
    return TrainingSettings(**(given | changes))


def relevance(images: Images, settings: TrainingSettings) -> np.ndarray[Any, Any]:
    network: Any = train(images, settings).network
    pixels = torch.from_numpy(images.pixels).permute(0, 3, 1, 2).float() / 255
    small = torch.nn.functional.interpolate(pixels, (32, 32), mode="bilinear", antialias=True)
    with torch.inference_mode():
        return np.asarray(network.scores_and_relevance(small)[1][:, 0])


def test_relevance_comes_to_lie_about_landmarks() -> None:
    images = landmarked_stills()
    found = relevance(images, facial_parts())
    target = target_maps(images.landmarks[:1] * (32 / 48), 32, 3.0)[0]  # type: ignore[index]
    near = np.array([one[target > 0.6].mean() - one[target < 0.1].mean() for one in found])
    assert near.min() > 0.3


def test_weak_supervision_makes_maps_sparse() -> None:
    images = simulated_stills()
    weak = facial_parts(parts=PartsSettings(supervision="weak", weight=10.0))
    none = facial_parts(parts=PartsSettings())
    assert np.abs(relevance(images, weak)).mean() < 0.2 * np.abs(relevance(images, none)).mean()


@pytest.mark.parametrize(
    ("images", "changes", "match"),
    [
        (simulated_stills, {}, r"supervision full: landmarks expected, found none$"),
        (
            landmarked_stills,
            {"network": "resnet34", "choices": {}},
            r"which has no relevance map, found 'full'$",
        ),
    ],
)
def test_supervision_that_cannot_be_is_refused(
    images: Any, changes: dict[str, Any], match: str
) -> None:
    with pytest.raises(MerecError, match=match):
        train(images(), facial_parts(**changes))


def test_landmarks_that_are_none_are_refused() -> None:
    images = landmarked_stills()
    landmarks = images.landmarks
    assert landmarks is not None
    broken = landmarks.copy()
    broken[4, 1, 0] = np.nan
    with pytest.raises(MerecError, match="landmarks expected, found some that are not finite"):
        train(replace(images, landmarks=broken), facial_parts())
    with pytest.raises(MerecError, match=r"landmarks of shape \(36, n_landmarks, 2\) expected"):
        train(replace(images, landmarks=landmarks[:, :, :1]), facial_parts())
