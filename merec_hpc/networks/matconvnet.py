"""Reads networks of MatConvNet from MATLAB files, and takes VGG-F out of them.

Both layouts are read: filters and biases in ``weights`` with the mean image in
``meta.normalization``, and the older one, in ``filters`` and ``biases`` with ``normalization`` on
top. Vedaldi & Lenc: MatConvNet, 2015, doi:10.1145/2733373.2807412.
"""

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from merec_hpc.networks.matlab_file import read_matlab
from merec_hpc.networks.unreadable import UnreadableError

# name: stride, pad (top, bottom, left, right); MatConvNet rounds sizes down, so that the pad of the
# last two poolings, which some files have, is not reached.
_NO_PAD, _END_PAD = (0, 0, 0, 0), (0, 1, 0, 1)
_CONVOLUTIONS = {
    "conv1": (4, _NO_PAD),
    "conv2": (1, (2, 2, 2, 2)),
    "conv3": (1, (1, 1, 1, 1)),
    "conv4": (1, (1, 1, 1, 1)),
    "conv5": (1, (1, 1, 1, 1)),
    "fc6": (1, _NO_PAD),
    "fc7": (1, _NO_PAD),
    "fc8": (1, _NO_PAD),
}
_POOLINGS = {"pool1": (_END_PAD,), "pool2": (_NO_PAD, _END_PAD), "pool5": (_NO_PAD, _END_PAD)}
_NORMS = ("norm1", "norm2")
_ORDER = (
    "conv1", "relu1", "norm1", "pool1", "conv2", "relu2", "norm2", "pool2", "conv3", "relu3",
    "conv4", "relu4", "conv5", "relu5", "pool5", "fc6", "relu6", "fc7", "relu7", "fc8",
)  # fmt: skip
_NORM_SIZE = 5


def read_vgg_f(content: bytes) -> dict[str, NDArray[np.generic]]:
    """Return VGG-F's arrays in torch's layout, its mean image and its normalisation's values.

    Raises
    ------
    UnreadableError
        If the file is damaged, or holds another network.
    """
    network = read_matlab(content)
    if isinstance(network.get("net"), dict):
        network = network["net"]
    layers = network.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        msg = "MATLAB's variables without layers of MatConvNet"
        raise UnreadableError(msg)
    # Dropout and the loss, which training adds, are not there in use.
    kept = [
        layer for layer in layers if layer.get("type") not in {"dropout", "softmax", "softmaxloss"}
    ]
    names = tuple(str(layer.get("name")) for layer in kept)
    if names != _ORDER:
        msg = f"layers {', '.join(names)[:80]} in place of {', '.join(_ORDER[:4])}, ..."
        raise UnreadableError(msg)
    state: dict[str, NDArray[np.generic]] = {"mean_image": _mean_image(network)}
    for name, layer in zip(names, kept, strict=True):
        if name in _CONVOLUTIONS:
            _check(layer, name, "conv", *_CONVOLUTIONS[name])
            state[f"{name}.weight"], state[f"{name}.bias"] = _convolution(layer, name)
        elif name in _POOLINGS:
            _check(layer, name, "pool", 2, *_POOLINGS[name])
            if _text(layer, "method", name) != "max" or set(_values(layer, "pool", name)) != {3.0}:
                msg = f"{name} that is not the maximum of 3 x 3"
                raise UnreadableError(msg)
        elif name in _NORMS:
            state[f"{name}.values"] = _norm(layer, name)
    return state


def _check(
    layer: dict[str, Any], name: str, kind: str, stride: int, *pads: tuple[int, ...]
) -> None:
    """Raise if the layer is not of this kind, stride and one of these pads."""
    if _text(layer, "type", name) != kind:
        msg = f"{name} of type {_text(layer, 'type', name)[:20]} in place of {kind}"
        raise UnreadableError(msg)
    found = set(_values(layer, "stride", name))
    if found != {float(stride)}:
        msg = f"{name} of stride {sorted(found)} in place of {stride}"
        raise UnreadableError(msg)
    pad = tuple(_values(layer, "pad", name))
    pad = pad * 4 if len(pad) == 1 else pad
    if pad not in pads:
        msg = f"{name} with pad {list(pad)[:4]} in place of {list(pads[0])}"
        raise UnreadableError(msg)


def _convolution(
    layer: dict[str, Any], name: str
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Return filters, (out, in, h, w), and biases, (out,)."""
    both = layer.get("weights", [layer.get("filters"), layer.get("biases")])
    if not isinstance(both, list) or len(both) != 2 or not all(_is_numeric(one) for one in both):
        msg = f"{name} without filters and biases"
        raise UnreadableError(msg)
    filters, biases = both
    # MATLAB drops axes of length one at the end.
    filters = filters.reshape(filters.shape + (1,) * (4 - filters.ndim))
    return filters.transpose(3, 2, 0, 1), biases.ravel()


def _norm(layer: dict[str, Any], name: str) -> NDArray[np.generic]:
    """Return kappa, alpha and beta."""
    values = _values(layer, "param", name)
    if len(values) != 4 or values[0] != _NORM_SIZE:
        msg = f"{name} with param {values[:4]} in place of [{_NORM_SIZE}, kappa, alpha, beta]"
        raise UnreadableError(msg)
    return np.array(values[1:])


def _mean_image(network: dict[str, Any]) -> NDArray[np.generic]:
    """Return the average image, (3, h, w)."""
    meta = network.get("meta")
    holder = meta if isinstance(meta, dict) else network
    normalization = holder.get("normalization")
    image = normalization.get("averageImage") if isinstance(normalization, dict) else None
    if not _is_numeric(image) or image.ndim != 3:
        msg = "no averageImage in meta.normalization or normalization"
        raise UnreadableError(msg)
    return np.asarray(image.transpose(2, 0, 1))


def _is_numeric(value: Any) -> TypeGuard[NDArray[Any]]:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu"


def _values(layer: dict[str, Any], key: str, name: str) -> list[float]:
    found = layer.get(key)
    if not _is_numeric(found):
        msg = f"{name} without {key}"
        raise UnreadableError(msg)
    return [float(one) for one in np.ravel(found)]


def _text(layer: dict[str, Any], key: str, name: str) -> str:
    found = layer.get(key)
    if not isinstance(found, str):
        msg = f"{name} without {key}"
        raise UnreadableError(msg)
    return found
