"""Reads the weights of a Keras model from HDF5, without Keras."""

import io
import re

import h5py
import numpy as np
from numpy.typing import NDArray

from merec_hpc.networks.unreadable import UnreadableError

_NAMES = {
    "beta": "bias",
    "gamma": "weight",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "bias": "bias",
}
_SEPARABLE = {"depthwise_kernel": "depthwise.weight", "pointwise_kernel": "pointwise.weight"}


def read_keras(content: bytes) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of a Keras model as mini-Xception has them here, in torch's layout.

    HDF5 has no defence against damage: the digest of the content is to be checked before.

    Raises
    ------
    UnreadableError
        If there is no group ``model_weights``.
    """
    found: dict[str, NDArray[np.generic]] = {}
    with h5py.File(io.BytesIO(content), "r") as file:
        if "model_weights" not in file:
            msg = "HDF5 without model_weights"
            raise UnreadableError(msg)

        def take(path: str, dataset: object) -> None:
            if isinstance(dataset, h5py.Dataset):
                layer, *_, array = path.split("/")
                name, values = _converted(array.removesuffix(":0"), np.asarray(dataset))
                found[f"{_module(layer)}.{name}"] = values

        file["model_weights"].visititems(take)
    return found


def _converted(name: str, values: NDArray[np.generic]) -> tuple[str, NDArray[np.generic]]:
    """Return torch's name of an array, and torch's order of axes."""
    if name in _NAMES:
        return _NAMES[name], values
    if name == "depthwise_kernel":  # (h, w, channels, 1)
        return _SEPARABLE[name], values.transpose(2, 3, 0, 1)
    # (h, w, in, out)
    return _SEPARABLE.get(name, "weight"), values.transpose(3, 2, 0, 1)


def _module(layer: str) -> str:
    """Return where a layer that Keras numbered stands in mini-Xception."""
    matched = re.fullmatch(r"(\w+)_(\d+)", layer)
    if matched is None:
        return layer
    kind, number = matched[1], int(matched[2])
    if kind == "separable_conv2d":
        return f"block{(number + 1) // 2}.main.{0 if number % 2 else 3}"
    if kind == "batch_normalization" and number > 2:
        return f"block{number // 3}.{('shortcut.1', 'main.1', 'main.4')[number % 3]}"
    if kind == "conv2d" and 2 < number < 7:
        return f"block{number - 2}.shortcut.0"
    if kind == "conv2d" and number == 7:
        return "conv3"
    return f"{'conv' if kind == 'conv2d' else 'norm'}{number}"
