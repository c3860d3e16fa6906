from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.data import astronaut
from torch import nn
from torchvision.transforms.functional import normalize

from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone, reproducible
from merec_hpc.networks.registry import NETWORKS, load_network


@pytest.fixture(autouse=True)
def settled() -> Iterator[None]:
    with reproducible():
        yield


@pytest.fixture(scope="module")
def backbone(weights: Path) -> Backbone:
    return _backbone(weights, "features.18")


@pytest.fixture(scope="module")
def network(weights: Path) -> nn.Module:
    return load_network("mobilenet_v2", weights / "mobilenet_v2")


def _backbone(weights: Path, layer: str) -> Backbone:
    return Backbone("mobilenet_v2", layer, weights / "mobilenet_v2", device="cpu")


def _frames(n_frames: int, size: int = 224) -> NDArray[np.float32]:
    """A walk over the photograph."""
    photo = astronaut().astype(np.float32)
    return np.stack([photo[step : step + size, step : step + size] for step in range(n_frames)])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("features.18", (1280, 7, 7)),
        ("features.4", (32, 28, 28)),
        ("features.4.conv.0", (144, 56, 56)),
        ("classifier.1", (1000, 1, 1)),
    ],
)
def test_named_layer_gives_its_channels_rows_and_columns(
    weights: Path, layer: str, shape: tuple[int, int, int]
) -> None:
    found = _backbone(weights, layer).activations(_frames(2))
    assert found.shape == (2, *shape)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_last_layer_is_that_of_the_network_on_normalised_frames(
    backbone: Backbone, network: nn.Module
) -> None:
    known = NETWORKS["mobilenet_v2"]
    frames = _frames(2)
    images = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        expected = network.get_submodule("features")(
            normalize(images, list(known.mean), list(known.std))
        )
    np.testing.assert_allclose(backbone.activations(frames), expected.numpy(), atol=1e-4)


def test_channels_are_read_as_red_green_blue(backbone: Backbone) -> None:
    frames = _frames(1)
    swapped = backbone.activations(frames[..., ::-1])
    assert np.abs(swapped - backbone.activations(frames)).max() > 0.1


@pytest.mark.parametrize("size", [112, 300])
def test_frames_of_another_size_are_resized(backbone: Backbone, size: int) -> None:
    grey = np.full((1, size, size, 3), 90, np.float32)
    expected = backbone.activations(np.full((1, 224, 224, 3), 90, np.float32))
    found = backbone.activations(grey)
    assert found.shape == (1, 1280, 7, 7)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_activations_of_a_frame_do_not_depend_on_the_other_frames(backbone: Backbone) -> None:
    frames = _frames(3)
    together = backbone.activations(frames)
    for number, frame in enumerate(frames):
        alone = backbone.activations(frame[None])[0]
        np.testing.assert_allclose(alone, together[number], atol=1e-4)


def test_same_clip_gives_the_same_bytes(backbone: Backbone) -> None:
    frames = _frames(2)
    first = backbone.activations(frames)
    assert backbone.activations(frames).tobytes() == first.tobytes()


@pytest.mark.parametrize("fails", [False, True])
def test_torch_is_afterwards_as_it_was(fails: bool) -> None:
    def state() -> tuple[object, ...]:
        return (
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.backends.cudnn.benchmark,
        )

    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(mode=False)
    torch.backends.cudnn.benchmark = True
    before = state()
    with pytest.raises(KeyboardInterrupt) if fails else nullcontext(), reproducible():
        assert state() == (1, True, True, False)
        if fails:
            raise KeyboardInterrupt
    assert state() == before == (2, False, False, True)


def test_device_is_the_one_that_is_named(backbone: Backbone) -> None:
    assert backbone.device.type == "cpu"


@pytest.mark.parametrize("layer", ["features.99", "features.1x", "", "conv5"])
def test_unknown_layer_is_refused_with_those_there_are(weights: Path, layer: str) -> None:
    with pytest.raises(MerecError, match="a layer of mobilenet_v2 expected") as raised:
        _backbone(weights, layer)
    assert "features.18" in str(raised.value)
    assert f"found '{layer}'" in str(raised.value)
    assert "\n" not in str(raised.value)
