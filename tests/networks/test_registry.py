import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import chelsea
from torch import nn
from torch.nn import functional

from merec_hpc.errors import MerecError
from merec_hpc.networks.registry import NETWORKS, load_network

CATS = {281, 282, 283, 284, 285}  # tabby, tiger cat, Persian, Siamese, Egyptian


@pytest.fixture(scope="module")
def network(weights: Path) -> nn.Module:
    torch.set_num_threads(1)
    return load_network("mobilenet_v2", weights / "mobilenet_v2")


def test_every_weight_of_the_network_comes_from_the_file(network: nn.Module, weights: Path) -> None:
    state = torch.load(weights / "mobilenet_v2", weights_only=True)
    loaded = network.state_dict()
    assert set(loaded) == set(state)
    for name, values in state.items():
        assert torch.equal(loaded[name], values), name


def test_network_is_ready_to_be_evaluated(network: nn.Module) -> None:
    assert not any(module.training for module in network.modules())


def test_photographed_cat_is_seen_as_a_cat(network: nn.Module) -> None:
    """Real weights, input size and normalisation belong together."""
    known = NETWORKS["mobilenet_v2"]
    cat = torch.from_numpy(np.ascontiguousarray(chelsea()[:, 75:375])).permute(2, 0, 1)[None] / 255
    size = (known.input_px, known.input_px)
    image = functional.interpolate(cat, size, mode="bilinear", antialias=True)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (known.mean, known.std))
    with torch.inference_mode():
        best = network((image - mean) / std)[0].topk(3).indices.tolist()
    assert CATS & set(best)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("no weights\n")


def _some_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"features.0.0.weight": Path("elsewhere")}))


def _other_network(path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), path)


def _no_names(path: Path) -> None:
    torch.save([torch.zeros(2)], path)


@pytest.mark.parametrize("write", [_empty, _text, _some_pickle, _other_network, _no_names])
def test_file_of_another_content_is_refused_by_one_line(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "weights"
    write(path)
    with pytest.raises(MerecError, match=r"weights of mobilenet_v2 expected, found") as raised:
        load_network("mobilenet_v2", path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_weights_of_the_face_mesh_are_refused(weights: Path) -> None:
    with pytest.raises(MerecError, match=r"weights of mobilenet_v2 expected, found"):
        load_network("mobilenet_v2", weights / "face_mesh")


def test_truncated_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes((weights / "mobilenet_v2").read_bytes()[:1_000_000])
    with pytest.raises(MerecError, match=r"weights of mobilenet_v2 expected, found"):
        load_network("mobilenet_v2", path)


def test_one_missing_weight_is_refused(network: nn.Module, tmp_path: Path) -> None:
    state = dict(network.state_dict())
    del state["classifier.1.bias"]
    torch.save(state, tmp_path / "weights")
    with pytest.raises(MerecError, match=r"weights of mobilenet_v2 expected, found"):
        load_network("mobilenet_v2", tmp_path / "weights")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=r"no such file"):
        load_network("mobilenet_v2", tmp_path / "absent")
