"""Networks that read flow: their shapes, and what of the flow they read."""

import torch

from merec_hpc.networks.counting import layer_shapes
from merec_hpc.networks.registry import NETWORKS


def test_shapes_are_the_published_ones() -> None:
    """STSTNet: 16 maps of 5 x 5 before its dense layer; OFF-ApexNet: two dense layers of 1024."""
    assert layer_shapes("ststnet") == {"pool": (16, 5, 5), "dense": (3,)}
    with torch.device("meta"):
        network = NETWORKS["off_apexnet"].build()
    assert [len(stream) for stream in network.streams] == [6, 6]
    assert network.dense1[0].in_features == 2 * 16 * 7 * 7
    assert layer_shapes("off_apexnet") == {"dense1": (1024,), "dense2": (1024,), "dense3": (3,)}


def _slopes(name: str) -> list[bool]:
    """Whether scores change with u, v and strain."""
    torch.manual_seed(0)
    flow = torch.randn(2, 3, 28, 28, requires_grad=True)
    NETWORKS[name].build().eval()(flow).sum().backward()
    assert flow.grad is not None
    return [bool(flow.grad[:, place].abs().sum() > 0) for place in range(3)]


def test_ststnet_reads_strain_and_off_apexnet_does_not() -> None:
    assert _slopes("ststnet") == [True, True, True]
    assert _slopes("off_apexnet") == [True, True, False]


def test_streams_of_ststnet_are_as_many_maps_as_are_asked_for() -> None:
    network = NETWORKS["ststnet"].build(n_classes=5, channels=(2, 4), dropout=0.0)
    assert [stream[0].out_channels for stream in network.streams] == [2, 4]
    assert network(torch.zeros(3, 3, 28, 28)).shape == (3, 5)
