"""Every network of the registry: what it says of itself is so."""

import pytest
import torch
from torchvision.models import get_model_weights
from torchvision.models.feature_extraction import get_graph_node_names

from merec_hpc.errors import MerecError
from merec_hpc.networks.counting import layer_shapes
from merec_hpc.networks.network import Network
from merec_hpc.networks.registry import NETWORKS, find_frame_network, find_network

OF_TORCHVISION = {
    **{name: name for name, known in NETWORKS.items() if known.released_as},
    "shufflenet_v2": "shufflenet_v2_x1_0",
}


@pytest.fixture(params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def known(name: str) -> Network:
    return NETWORKS[name]


def test_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(MerecError, match=r"features.network: a network of .* 'vgg_f'\?$"):
        find_network("vggf")


@pytest.mark.parametrize("name", ["ststnet", "off_apexnet"])
def test_network_that_reads_flow_is_none_of_frames(name: str) -> None:
    assert find_network(name).colours == "flow"
    with pytest.raises(MerecError, match=r"frames expected, found '\w+', which reads flow$"):
        find_frame_network(name)


def test_layers_are_of_its_graph_and_stand_in_its_order(known: Network) -> None:
    with torch.device("meta"):
        names = get_graph_node_names(known.build(), suppress_diff_warning=True)[1]
    last = [
        max(
            (place for place, node in enumerate(names) if f"{node}.".startswith(f"{layer}.")),
            default=-1,
        )
        for layer in known.layers
    ]
    assert min(last) > 0
    assert last == sorted(set(last))


def test_last_layer_has_as_many_values_as_there_are_classes(known: Network) -> None:
    with torch.device("meta"), torch.inference_mode():
        side = known.input_px
        scores = known.build(n_classes=6).eval()(torch.empty(2, known.n_channels, side, side))
    assert scores.flatten(1).shape == (2, 6)


@pytest.mark.parametrize("name", [name for name, known in NETWORKS.items() if known.classes])
def test_classes_are_as_many_as_outputs(name: str) -> None:
    known = NETWORKS[name]
    assert layer_shapes(name, known.layers[-1:]) == {known.layers[-1]: (len(known.classes),)}


def test_normalisation_has_a_value_for_each_channel(known: Network) -> None:
    assert len(known.mean) == len(known.std) == known.n_channels
    assert min(known.std) > 0


def test_paper_is_named(known: Network) -> None:
    assert "doi:10." in known.source or "paper" in known.source


def test_weights_are_pinned_and_their_terms_told(known: Network) -> None:
    if known.weights is not None:
        assert "==" in known.weights.requirement
        assert len(known.weights.sha256) == 64
        assert known.weights.licence
    assert bool(known.released_as) <= bool(known.weights or known.terms)


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_torchvision_says_the_same(name: str) -> None:
    known = NETWORKS[name]
    released = get_model_weights(OF_TORCHVISION[name]).IMAGENET1K_V1
    assert released.url.rpartition("/")[2] == known.released_as
    prepared = released.transforms()
    assert tuple(prepared.mean) == known.mean
    assert tuple(prepared.std) == known.std
    assert prepared.crop_size == [known.input_px]
    assert layer_shapes(name)[known.layers[-1]] == (len(released.meta["categories"]),)
