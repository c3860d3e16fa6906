"""Mini-Xception from its real file, next to a forward pass in NumPy by Keras's own names."""

import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from merec_hpc.networks.keras_weights import read_keras
from merec_hpc.networks.unreadable import UnreadableError
from merec_hpc.networks.weight_sources import load_network

Floats = NDArray[np.float64]


def test_every_value_of_the_file_is_in_the_network(weights: Path) -> None:
    state = read_keras((weights / "mini_xception").read_bytes())
    assert sum(values.size for values in state.values()) == 58_423
    loaded = load_network("mini_xception", weights / "mini_xception").state_dict()
    for name, values in state.items():
        np.testing.assert_array_equal(loaded[name].numpy(), values)


def test_file_without_weights_is_refused() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        made["x"] = 1
    with pytest.raises(UnreadableError, match="without model_weights"):
        read_keras(file.getvalue())


def test_network_is_kerass_by_its_own_configuration(weights: Path) -> None:
    """Every layer that the file's configuration names, computed in NumPy as Keras documents it."""
    image = np.random.default_rng(6).uniform(-1, 1, (64, 64, 1))
    with h5py.File(weights / "mini_xception") as file:
        expected = _forward(file, image)
    network = load_network("mini_xception", weights / "mini_xception").double()
    with torch.inference_mode():
        found = network(torch.from_numpy(image.transpose(2, 0, 1))[None])[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert expected.max() < 0.999  # not so sure that nothing else could be told


def _forward(file: h5py.File, image: Floats) -> Floats:
    config = json.loads(file.attrs["model_config"])["config"]
    outputs: dict[str, Floats] = {}
    for layer in config["layers"]:
        name, settings = layer["name"], layer["config"]
        nodes = layer["inbound_nodes"]
        inputs = [outputs[node[0]] for node in nodes[0]] if nodes else [image]
        arrays = _arrays(file, name)
        outputs[name] = _LAYERS[layer["class_name"]](inputs, settings, arrays)
    return outputs[config["output_layers"][0][0]]


def _arrays(file: h5py.File, name: str) -> dict[str, Floats]:
    group = file["model_weights"].get(name, {})
    for inner in group.values():
        return {key.removesuffix(":0"): np.asarray(one, np.float64) for key, one in inner.items()}
    return {}


def _windows(batch: Floats, settings: dict[str, Any], side: int, fill: float) -> Floats:
    """Windows, (rows, columns, channels, side, side), padded and strided as TensorFlow does."""
    stride = settings["strides"][0]
    if settings["padding"] == "same":
        pads = []
        for length in batch.shape[:2]:
            total = max((-(-length // stride) - 1) * stride + side - length, 0)
            pads.append((total // 2, total - total // 2))
        batch = np.pad(batch, (*pads, (0, 0)), constant_values=fill)
    return sliding_window_view(batch, (side, side), axis=(0, 1))[::stride, ::stride]


def _convolve(inputs: list[Floats], settings: dict[str, Any], arrays: dict[str, Floats]) -> Floats:
    kernel = arrays["kernel"]
    windows = _windows(inputs[0], settings, kernel.shape[0], 0.0)
    return np.einsum("ijcrs,rsck->ijk", windows, kernel, optimize=True) + arrays.get("bias", 0.0)


def _separate(inputs: list[Floats], settings: dict[str, Any], arrays: dict[str, Floats]) -> Floats:
    depthwise, pointwise = arrays["depthwise_kernel"][..., 0], arrays["pointwise_kernel"][0, 0]
    windows = _windows(inputs[0], settings, depthwise.shape[0], 0.0)
    return np.asarray(np.einsum("ijcrs,rsc->ijc", windows, depthwise, optimize=True) @ pointwise)


def _normalise(inputs: list[Floats], settings: dict[str, Any], arrays: dict[str, Floats]) -> Floats:
    deviation = np.sqrt(arrays["moving_variance"] + settings["epsilon"])
    return (inputs[0] - arrays["moving_mean"]) / deviation * arrays["gamma"] + arrays["beta"]


def _activate(inputs: list[Floats], settings: dict[str, Any], _: dict[str, Floats]) -> Floats:
    if settings["activation"] == "relu":
        return np.maximum(inputs[0], 0)
    powers = np.exp(inputs[0] - inputs[0].max())
    return np.asarray(powers / powers.sum())


def _pool(inputs: list[Floats], settings: dict[str, Any], _: dict[str, Floats]) -> Floats:
    windows = _windows(inputs[0], settings, settings["pool_size"][0], -np.inf)
    return np.asarray(windows.max(axis=(-1, -2)))


_LAYERS: dict[str, Any] = {
    "InputLayer": lambda inputs, *_: inputs[0],
    "Conv2D": _convolve,
    "SeparableConv2D": _separate,
    "BatchNormalization": _normalise,
    "Activation": _activate,
    "MaxPooling2D": _pool,
    "Add": lambda inputs, *_: inputs[0] + inputs[1],
    "GlobalAveragePooling2D": lambda inputs, *_: inputs[0].mean(axis=(0, 1)),
}
