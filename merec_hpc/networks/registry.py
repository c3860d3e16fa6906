"""Networks by name."""

import pickle
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from merec_hpc.config.base import nearest
from merec_hpc.errors import MerecError
from merec_hpc.networks import mobilenet_v2
from merec_hpc.networks.network import Network

if TYPE_CHECKING:
    from torch import nn

NETWORKS: dict[str, Network] = {
    "mobilenet_v2": mobilenet_v2.NETWORK,
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


def find_network(name: str, source: str = "features.network") -> Network:
    """Return a network by its name.

    Raises
    ------
    MerecError
        If there is none of that name; ``source`` says where it was named.
    """
    if name not in NETWORKS:
        listed = ", ".join(NETWORKS)
        msg = f"{source}: a network of {listed} expected, found '{name}'{nearest(name, NETWORKS)}"
        raise MerecError(msg)
    return NETWORKS[name]


def load_network(name: str, weights: Path) -> "nn.Module":
    """Return a network with its weights, ready to be evaluated.

    Raises
    ------
    MerecError
        If the file does not hold this network's weights.
    """
    import torch  # noqa: PLC0415  # takes seconds

    network = find_network(name).build()
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
