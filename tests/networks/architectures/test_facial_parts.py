import pytest
import torch
from torch import nn

from merec_hpc.networks.architectures.facial_parts import FacialPartsNetwork
from merec_hpc.networks.registry import NETWORKS


@pytest.fixture
def network() -> FacialPartsNetwork:
    torch.manual_seed(0)
    return FacialPartsNetwork(
        n_classes=3,
        input_px=30,
        part_channels=(4, 8),
        channels=(4, 8),
        n_expression_blocks=1,
        n_hidden=16,
        dropout=0.5,
    ).eval()


def test_map_has_the_size_of_the_image(network: FacialPartsNetwork) -> None:
    scores, relevance = network.scores_and_relevance(torch.rand(2, 3, 30, 30))
    assert scores.shape == (2, 3)
    assert relevance.shape == (2, 1, 30, 30)  # 30 rows are 7 after two poolings, 28 on the way back
    assert (relevance < 0).any()  # not bounded: the last activation is linear


def test_representation_is_filtered_by_the_map(network: FacialPartsNetwork) -> None:
    """Where the map is zero everywhere, the image does not matter."""
    for values in network.facial_parts.relevance.parameters():
        nn.init.zeros_(values)
    with torch.no_grad():
        found = network(torch.rand(2, 3, 30, 30))
    assert torch.equal(found[0], found[1])


def test_image_matters_where_the_map_is_not_zero(network: FacialPartsNetwork) -> None:
    with torch.no_grad():
        found = network(torch.rand(2, 3, 30, 30))
    assert not torch.allclose(found[0], found[1])


def test_map_is_learned_from_the_classes_too(network: FacialPartsNetwork) -> None:
    network(torch.rand(2, 3, 30, 30)).sum().backward()
    gradient = network.facial_parts.encoder[0][0].weight.grad
    assert gradient is not None
    assert gradient.abs().max() > 0


def test_dense_layers_are_the_papers() -> None:
    with torch.device("meta"):
        network = NETWORKS["facial_parts"].build()
    dense = [module for module in network.modules() if isinstance(module, nn.Linear)]
    assert [layer.out_features for layer in dense] == [512, 512, 7]
