"""What a network is by numbers: shapes of its layers, parameters, multiply-adds.

Networks are built without memory for their weights (torch's device ``meta``), which is quick
whatever their size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from merec_hpc.errors import MerecError
from merec_hpc.networks.cutting import cut
from merec_hpc.networks.registry import find_network


@dataclass(frozen=True)
class NetworkSize:
    """How large a network is."""

    n_parameters: int
    n_multiply_adds: int
    """Of one image: of convolutions and matrix products alone."""


def network_size(name: str, input_px: int | None = None, **choices: object) -> NetworkSize:
    """Return the size of a network; without ``input_px`` at the side it was made for.

    Parameters
    ----------
    name
        Of the registry.
    input_px
        Side of the image.
    **choices
        Keyword arguments of its builder, such as ``n_classes``.

    Raises
    ------
    MerecError
        If there is no such network.
    """
    known = find_network(name)
    side = input_px or known.input_px
    with torch.device("meta"), torch.inference_mode():
        network = known.build(**choices).eval()
        counter = FlopCounterMode(display=False)
        with counter:
            network(torch.empty(1, known.n_channels, side, side))
    n_parameters = sum(values.numel() for values in network.parameters())
    return NetworkSize(n_parameters, counter.get_total_flops() // 2)  # it counts both


def layer_shapes(
    name: str, layers: Sequence[str] | None = None, input_px: int | None = None
) -> dict[str, tuple[int, ...]]:
    """Return what layers give for one image, such as (channels, h, w), by their names.

    Without ``layers`` those that the registry names. There must be such layers.

    Raises
    ------
    MerecError
        If there is no such network, or a layer cannot take an image of that side.
    """
    known = find_network(name)
    side = input_px or known.input_px
    wanted = known.layers if layers is None else layers
    with torch.device("meta"), torch.inference_mode():
        network = known.build().eval()
        try:
            found = cut(network, wanted)(torch.empty(1, known.n_channels, side, side))
        except RuntimeError as error:
            said = str(error).splitlines()[0]
            msg = f"features.input_px: a side that {name} can take expected, found {side} ({said})"
            raise MerecError(msg) from None
    return {layer: tuple(found[layer].shape[1:]) for layer in wanted}
