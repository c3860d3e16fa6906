"""A file of VGG-F's real structure with small random weights, and a forward pass in NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.io import savemat

Floats = NDArray[np.float64]
# name: rows, channels in, channels out, stride, pad
CONVOLUTIONS = {
    "conv1": (11, 3, 64, 4, 0),
    "conv2": (5, 64, 256, 1, 2),
    "conv3": (3, 256, 256, 1, 1),
    "conv4": (3, 256, 256, 1, 1),
    "conv5": (3, 256, 256, 1, 1),
    "fc6": (6, 256, 4096, 1, 0),
    "fc7": (1, 4096, 4096, 1, 0),
    "fc8": (1, 4096, 1000, 1, 0),
}
NORM = (5.0, 1.0, 2e-5, 0.75)  # MatConvNet's: size, kappa, alpha, beta
# Deviation of a unit after each convolution: large enough that the normalisation matters.
LEVEL = 150.0


def made_layers(*, is_old: bool, n_dense: int | None = None) -> list[dict[str, Any]]:
    """MatConvNet's layers; those that are dense are zero but for a few values."""
    rng = np.random.default_rng(20261128)
    layers: list[dict[str, Any]] = []
    for name, (side, n_in, n_out, stride, pad) in CONVOLUTIONS.items():
        if name.startswith("fc"):
            filters = np.zeros((side, side, n_in, n_out), np.float32)
            filters[0, 0, :, :7] = 0.01
        else:
            scale = LEVEL / (60 if name == "conv1" else LEVEL) / np.sqrt(side**2 * n_in / 2)
            filters = (scale * rng.normal(size=(side, side, n_in, n_out))).astype(np.float32)
        biases = rng.normal(size=(1, n_out)).astype(np.float32)
        arrays: dict[str, Any] = (
            {"filters": filters, "biases": biases}
            if is_old
            else {"weights": _cell(filters, biases)}
        )
        pads = [float(pad)] * 4 if is_old else float(pad)
        layers.append(
            {"type": "conv", "name": name, "stride": float(stride), "pad": pads, **arrays}
        )
        number = name[-1]
        if name != "fc8":
            layers.append({"type": "relu", "name": f"relu{number}"})
        if name in {"conv1", "conv2"}:
            layers.append({"type": "normalize", "name": f"norm{number}", "param": list(NORM)})
        if name in {"conv1", "conv2", "conv5"}:
            pool_pad = [0.0, 1.0, 0.0, 1.0] if name == "conv1" else [0.0, 0.0, 0.0, 0.0]
            layers.append(
                {
                    "type": "pool",
                    "name": f"pool{number}",
                    "method": "max",
                    "pool": [3.0, 3.0],
                    "stride": 2.0,
                    "pad": pool_pad,
                }
            )
    return [*layers, {"type": "softmax", "name": "prob"}]


def mean_image() -> NDArray[np.float32]:
    """An average image, (224, 224, 3), that differs from place to place and by colour."""
    rows, columns = np.mgrid[:224, :224]
    planes = (110 + rows / 20, 115 + columns / 30, 105 + (rows - columns) / 40)
    return np.stack(planes, axis=2).astype(np.float32)


def write_vgg_f(path: Path, layers: list[dict[str, Any]], *, is_old: bool) -> None:
    """Write them in one of the two layouts; the older one is not compressed."""
    normalization = {"averageImage": mean_image(), "imageSize": [224.0, 224.0, 3.0]}
    classes = {"name": _cell("cat", "dog"), "description": _cell("a cat", "a dog")}
    around: dict[str, Any] = (
        {"normalization": normalization, "classes": classes}
        if is_old
        else {"meta": {"normalization": normalization, "classes": classes}}
    )
    with path.open("wb") as file:
        savemat(file, {"layers": _cell(*layers), **around}, do_compression=not is_old)


def _cell(*values: Any) -> NDArray[Any]:
    cell = np.empty((1, len(values)), object)
    for place, value in enumerate(values):
        cell[0, place] = value
    return cell


def pool5_of(layers: list[dict[str, Any]], image: Floats) -> Floats:
    """Activations of pool5, (6, 6, 256), of an image, (224, 224, 3), RGB in 0..255.

    MatConvNet's own order of axes: rows, columns, channels.
    """
    found = image - mean_image().astype(np.float64)
    for layer in layers:
        if layer["type"] == "conv":
            found = _convolved(found, layer)
        elif layer["type"] == "relu":
            found = np.maximum(found, 0)
        elif layer["type"] == "normalize":
            found = _normalised(found)
        elif layer["type"] == "pool":
            found = _pooled(found, int(layer["pad"][1]))
        if layer["name"] == "pool5":
            break
    return found


def _convolved(batch: Floats, layer: dict[str, Any]) -> Floats:
    filters, biases = (
        layer["weights"][0] if "weights" in layer else (layer["filters"], layer["biases"])
    )
    side, _, n_in, n_out = filters.shape
    pad, stride = int(np.ravel(layer["pad"])[0]), int(layer["stride"])
    padded = np.pad(batch, ((pad, pad), (pad, pad), (0, 0)))
    windows = sliding_window_view(padded, (side, side), axis=(0, 1))[::stride, ::stride]
    flat = windows.transpose(0, 1, 3, 4, 2).reshape(-1, side * side * n_in)
    values = flat @ filters.astype(np.float64).reshape(-1, n_out) + np.ravel(biases)
    return np.asarray(values.reshape(*windows.shape[:2], n_out))


def _normalised(batch: Floats) -> Floats:
    size, kappa, alpha, beta = NORM
    half = int(size) // 2
    squares = np.pad(batch**2, ((0, 0), (0, 0), (half, half)))
    sums = sliding_window_view(squares, int(size), axis=2).sum(axis=-1)
    return np.asarray(batch / (kappa + alpha * sums) ** beta)


def _pooled(batch: Floats, end_pad: int) -> Floats:
    padded = np.pad(batch, ((0, end_pad), (0, end_pad), (0, 0)), constant_values=-np.inf)
    return np.asarray(sliding_window_view(padded, (3, 3), axis=(0, 1))[::2, ::2].max(axis=(-1, -2)))
