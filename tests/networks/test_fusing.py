"""A network whose batch norms are in its convolutions gives what it gave."""

import pytest
import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation

from merec_hpc.networks.cutting import cut, layer_nodes
from merec_hpc.networks.fusing import fuse_batch_norms
from merec_hpc.networks.registry import NETWORKS


def _built(name: str) -> nn.Module:
    """A network whose batch norms change what comes in, as trained ones do."""
    torch.manual_seed(0)
    network = NETWORKS[name].build().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias, std=0.1)
    return network.double()  # what is wrong is not taken for rounding


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0"])
def test_every_node_gives_what_it_gave(name: str) -> None:
    network, images = _built(name), torch.randn(2, 3, 64, 64, dtype=torch.float64)
    nodes = layer_nodes(network)[1:]
    with torch.inference_mode():
        before = cut(network, nodes)(images)
        fuse_batch_norms(network)
        after = cut(network, nodes)(images)
    norms = [
        module
        for block in network.modules()
        if isinstance(block, Conv2dNormActivation)
        for module in block
        if isinstance(module, nn.BatchNorm2d)
    ]
    assert norms == []
    for node in nodes:
        if isinstance(before[node], torch.Tensor):
            torch.testing.assert_close(after[node], before[node], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in NETWORKS if "net_" not in name])
def test_networks_without_such_blocks_stay_as_they_are(name: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[name].build().eval()
    before = str(network)
    fuse_batch_norms(network)
    assert str(network) == before
