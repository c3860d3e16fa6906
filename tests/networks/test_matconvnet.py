"""VGG-F out of MatConvNet's files, next to a forward pass in NumPy."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from networks.made_vgg_f import made_layers, pool5_of, write_vgg_f
from numpy.typing import NDArray
from scipy.io import savemat
from skimage.data import chelsea
from torch import nn

from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone
from merec_hpc.networks import matconvnet
from merec_hpc.networks.matconvnet import read_vgg_f
from merec_hpc.networks.unreadable import UnreadableError
from merec_hpc.networks.weight_sources import load_network

IMAGE = chelsea()[:224, 100:324]
LAYOUTS = ["new", "old"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("vgg_f")
    for layout in LAYOUTS:
        layers = made_layers(is_old=layout == "old")
        write_vgg_f(folder / layout, layers, is_old=layout == "old")
    return {layout: folder / layout for layout in LAYOUTS}


@pytest.fixture(scope="module")
def expected() -> NDArray[np.float64]:
    found = pool5_of(made_layers(is_old=True), IMAGE.astype(np.float64))
    assert found.shape == (6, 6, 256)
    return found.transpose(2, 0, 1)


def _pool5(network: nn.Module) -> NDArray[np.float32]:
    """Of the image, less the network's own mean image."""
    batch = torch.from_numpy(np.ascontiguousarray(IMAGE)).permute(2, 0, 1).float()
    batch = (batch - network.get_buffer("mean_image"))[None]
    with torch.inference_mode():
        for name, part in network.named_children():
            batch = part(batch)
            if name == "pool5":
                break
    found: NDArray[np.float32] = batch[0].numpy()
    return found


def _error(found: NDArray[np.float32], expected: NDArray[np.float64]) -> float:
    """The largest difference relative to the largest value; infinite for another shape."""
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pool5_is_that_of_numpy(
    files: dict[str, Path], layout: str, expected: NDArray[np.float64]
) -> None:
    backbone = Backbone("vgg_f", "pool5", files[layout], device="cpu")
    found = backbone.activations(IMAGE[None].astype(np.float32))[0]
    assert _error(found, expected) < 1e-4
    assert np.count_nonzero(expected) > 0.5 * expected.size


def _divide_alpha(network: nn.Module) -> None:
    """As torch's own normalisation does."""
    for name in ("norm1", "norm2"):
        network.get_buffer(f"{name}.values")[1] /= 5


def _forget_pad(network: nn.Module) -> None:
    network.add_module("pool1", nn.MaxPool2d(3, 2))


def _forget_mean(network: nn.Module) -> None:
    network.get_buffer("mean_image").zero_()


@pytest.mark.parametrize("mistake", [_divide_alpha, _forget_pad, _forget_mean])
def test_mistake_of_porting_shows(
    files: dict[str, Path],
    expected: NDArray[np.float64],
    mistake: Callable[[nn.Module], None],
) -> None:
    network = load_network("vgg_f", files["new"])
    assert _error(_pool5(network), expected) < 1e-4
    mistake(network)
    assert _error(_pool5(network), expected) > 1e-2


@pytest.mark.parametrize("axes", [(3, 2, 1, 0), (2, 3, 0, 1)])
def test_filters_transposed_otherwise_show(
    files: dict[str, Path],
    expected: NDArray[np.float64],
    monkeypatch: pytest.MonkeyPatch,
    axes: tuple[int, int, int, int],
) -> None:
    """Rows and columns exchanged fit the network; outputs last do not."""
    right = matconvnet._convolution

    def transposed(layer: dict[str, Any], name: str) -> tuple[Any, Any]:
        filters, biases = right(layer, name)
        # Back to MatConvNet's order, then the mistake.
        return filters.transpose(2, 3, 1, 0).transpose(axes), biases

    monkeypatch.setattr(matconvnet, "_convolution", transposed)
    if axes == (2, 3, 0, 1):
        with pytest.raises(MerecError, match=r"conv1\.weight of shape"):
            load_network("vgg_f", files["new"])
    else:
        assert _error(_pool5(load_network("vgg_f", files["new"])), expected) > 1e-2


def test_values_of_the_normalisation_are_the_files(files: dict[str, Path]) -> None:
    layers = made_layers(is_old=True)
    layers[2]["param"] = [5.0, 2.0, 1e-3, 0.5]
    state = read_vgg_f(_written(layers))
    np.testing.assert_array_equal(state["norm1.values"], [2.0, 1e-3, 0.5])
    np.testing.assert_array_equal(state["norm2.values"], [1.0, 2e-5, 0.75])


def _small(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same layers with arrays of a few values."""
    return [
        {
            key: np.ones((1, 1, 1, 2), np.float32) if key in {"filters", "biases"} else value
            for key, value in layer.items()
        }
        for layer in layers
    ]


def _written(layers: list[dict[str, Any]], **around: Any) -> bytes:
    cell = np.empty((1, len(layers)), object)
    cell[0] = _small(layers)
    file = io.BytesIO()
    mean = {"normalization": {"averageImage": np.ones((2, 2, 3))}}
    savemat(cast("Any", file), {"layers": cell, **mean, **around})
    return file.getvalue()


@pytest.fixture(scope="module")
def layers() -> list[dict[str, Any]]:
    return _small(made_layers(is_old=True))


@pytest.mark.parametrize(
    ("place", "changes", "said"),
    [
        (3, {"pad": [0.0, 0.0, 0.0, 0.0]}, "pool1 with pad [0.0, 0.0, 0.0, 0.0] in place of"),
        (3, {"method": "avg"}, "pool1 that is not the maximum of 3 x 3"),
        (3, {"pool": [2.0, 2.0]}, "pool1 that is not the maximum of 3 x 3"),
        (0, {"stride": 2.0}, "conv1 of stride [2.0] in place of 4"),
        (4, {"pad": 1.0}, "conv2 with pad [1.0, 1.0, 1.0, 1.0] in place of"),
        (2, {"param": [3.0, 1.0, 2e-5, 0.75]}, "norm1 with param [3.0, 1.0, 2e-05, 0.75]"),
        (2, {"param": [5.0]}, "norm1 with param [5.0]"),
        (0, {"type": "pool"}, "conv1 of type pool in place of conv"),
        (0, {"filters": "none"}, "conv1 without filters and biases"),
        (0, {"name": "first"}, "layers first, relu1, norm1"),
    ],
)
def test_another_network_is_named(
    layers: list[dict[str, Any]], place: int, changes: dict[str, Any], said: str
) -> None:
    changed = [dict(layer) for layer in layers]
    changed[place].update(changes)
    cell = np.empty((1, len(changed)), object)
    cell[0] = changed
    file = io.BytesIO()
    mean = {"normalization": {"averageImage": np.ones((2, 2, 3))}}
    savemat(cast("Any", file), {"layers": cell, **mean})
    with pytest.raises(UnreadableError) as raised:
        read_vgg_f(file.getvalue())
    assert str(raised.value).startswith(said)


def test_poolings_that_some_files_pad_beyond_reach_are_taken(layers: list[dict[str, Any]]) -> None:
    changed = [dict(layer) for layer in layers]
    for layer in changed:
        if layer["name"] in {"pool2", "pool5"}:
            layer["pad"] = [0.0, 1.0, 0.0, 1.0]
    assert "conv5.weight" in read_vgg_f(_written(changed))


def test_file_without_a_mean_image_is_refused(layers: list[dict[str, Any]]) -> None:
    with pytest.raises(UnreadableError, match=r"^no averageImage"):
        read_vgg_f(_written(layers, normalization={"imageSize": 224.0}))


def test_file_of_other_variables_is_refused() -> None:
    file = io.BytesIO()
    savemat(cast("Any", file), {"x": np.ones(3)})
    with pytest.raises(UnreadableError, match="without layers of MatConvNet"):
        read_vgg_f(file.getvalue())


def test_struct_net_around_all_is_looked_into(layers: list[dict[str, Any]]) -> None:
    cell = np.empty((1, len(layers)), object)
    cell[0] = layers
    net = {"layers": cell, "normalization": {"averageImage": np.ones((2, 2, 3))}}
    file = io.BytesIO()
    savemat(cast("Any", file), {"net": net})
    assert read_vgg_f(file.getvalue())["mean_image"].shape == (3, 2, 2)
