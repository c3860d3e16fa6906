"""Networks by name: their layers, input size and normalisation."""

import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torchvision.models import mobilenet_v2

from merec_hpc.errors import MerecError


@dataclass(frozen=True)
class Network:
    """An architecture and what it expects of its input."""

    build: Callable[[], nn.Module]
    input_px: int
    mean: tuple[float, float, float]  # of RGB in 0..1
    std: tuple[float, float, float]


NETWORKS = {
    # Sandler et al., CVPR 2018, doi:10.1109/CVPR.2018.00474.
    "mobilenet_v2": Network(mobilenet_v2, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


# What torch raises on a file that is not what it should be, depending on its first bytes.
_UNREADABLE = (
    pickle.UnpicklingError,
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def load_network(name: str, weights: Path) -> nn.Module:
    """Return a network with its weights, ready to be evaluated.

    Raises
    ------
    MerecError
        If the file does not hold this network's weights.
    """
    network = NETWORKS[name].build()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles that are refused anyway
            state = torch.load(weights, map_location="cpu", weights_only=True)
        network.load_state_dict(state)
    except FileNotFoundError:
        msg = f"{weights}: weights of {name} expected, found no such file"
        raise MerecError(msg) from None
    except _UNREADABLE as error:
        msg = (
            f"{weights}: weights of {name} expected, found another content ({type(error).__name__})"
        )
        raise MerecError(msg) from None
    return network.eval()
