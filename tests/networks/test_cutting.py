"""What is taken of several layers is what each alone would give."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor

from merec_hpc.networks.cutting import cut, layer_nodes
from merec_hpc.networks.registry import NETWORKS


def _built(name: str) -> nn.Module:
    torch.manual_seed(0)
    return NETWORKS[name].build().eval()


def _images(name: str) -> Tensor:
    known = NETWORKS[name]
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, known.n_channels, 64, 64, generator=generator)


def _alone(network: nn.Module, layer: str, images: Tensor) -> Tensor:
    """What torchvision gives of one layer."""
    found = create_feature_extractor(network, {layer: "it"}, suppress_diff_warning=True)
    return found.eval()(images)["it"]


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("alexnet", ["features.0", "features.1", "features.4"]),
        ("resnet34", ["layer2", "layer1.0.bn2", "bn1", "layer1.0.add"]),
        ("densenet121", ["features.norm5", "features.norm0"]),
    ],
)
def test_layers_that_are_changed_in_place_are_taken_before(name: str, layers: list[str]) -> None:
    network, images = _built(name), _images(name)
    with torch.inference_mode():
        found = cut(network, layers)(images)
        naive = create_feature_extractor(
            network, {layer: layer for layer in layers}, suppress_diff_warning=True
        ).eval()(images)
        assert list(found) == layers
        for layer in layers:
            assert torch.equal(found[layer], _alone(network, layer, images))
            assert torch.equal(cut(network, [layer])(images)[layer], found[layer])
        assert any(not torch.equal(naive[layer], found[layer]) for layer in layers)


@pytest.mark.parametrize(
    "layers", [["features.1", "features.1.conv.2"], ["features.1.conv.2", "features.1"]]
)
def test_layers_that_end_in_the_same_node_give_the_same(layers: list[str]) -> None:
    network, images = _built("mobilenet_v2"), _images("mobilenet_v2")
    with torch.inference_mode():
        found = cut(network, layers)(images)
        expected = _alone(network, "features.1", images)
    for layer in layers:
        assert torch.equal(found[layer], expected)


def test_nodes_are_listed_in_the_order_in_which_they_are_made() -> None:
    nodes = layer_nodes(_built("alexnet"))
    assert nodes.index("features.0") < nodes.index("features.1") < nodes.index("classifier.6")


def test_network_that_was_cut_is_as_it_was() -> None:
    network, images = _built("resnet34"), _images("resnet34")
    with torch.inference_mode():
        before = network(images)
        cut(network, ["bn1", "layer1"])(images)
        assert torch.equal(network(images), before)
