"""Files of weights of every kind, whole and damaged."""

import io
import logging
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from networks.weight_files import (
    KINDS,
    TINY,
    Tiny,
    checkpoint,
    legacy,
    made_state,
    zipped,
)
from torch import nn

from merec_hpc.errors import MerecError
from merec_hpc.files.digest import sha256
from merec_hpc.networks.network import WeightFile
from merec_hpc.networks.random_weights import random_weights
from merec_hpc.networks.registry import NETWORKS
from merec_hpc.networks.weight_sources import CHECKPOINT, checkpoint_of, load_network


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network whose weights no package carries."""
    monkeypatch.setitem(NETWORKS, "tiny", TINY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights"


def is_same(network: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    loaded = network.state_dict()
    return set(loaded) == set(state) and all(
        torch.equal(loaded[name], values) for name, values in state.items()
    )


def refused(name: str, path: Path) -> str:
    """The one line that refuses the file."""
    with pytest.raises(MerecError) as raised:
        load_network(name, path)
    line = str(raised.value)
    assert line.startswith(f"{path}: weights of {name} expected, found")
    assert "\n" not in line
    return line


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_comes_from_the_file_whatever_its_name(path: Path, kind: str) -> None:
    state = made_state()
    path.write_bytes(KINDS[kind](state))
    network = load_network("tiny", path)
    assert is_same(network, state)
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize("kind", ["zipped", "checkpoint", "safetensors"])
def test_flipped_bits_are_refused_or_change_nothing_that_is_checked(path: Path, kind: str) -> None:
    """In archives of torch no value changes; safetensors has no checksum, but never another error."""
    state, rng = made_state(), np.random.default_rng(4)
    whole, n_refused = KINDS[kind](state), 0
    for _ in range(400):
        damaged = bytearray(whole)
        place = int(rng.integers(len(whole)))
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            network = load_network("tiny", path)
        except MerecError as error:
            n_refused += 1
            line = str(error)
            assert (line.startswith(f"{path}: "), "\n" in line) == (True, False)
        else:
            assert kind == "safetensors" or is_same(network, state)
    assert n_refused > 40


def test_flipped_bits_of_an_old_file_raise_nothing_else(path: Path) -> None:
    state, rng = made_state(), np.random.default_rng(5)
    whole = legacy(state)
    n_refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            load_network("tiny", path)
        except MerecError:
            n_refused += 1
    assert n_refused > 100


@pytest.mark.parametrize("kind", KINDS)
def test_file_that_ends_early_is_refused(path: Path, kind: str) -> None:
    whole = KINDS[kind](made_state())
    for n_bytes in range(0, len(whole), 97):
        path.write_bytes(whole[:n_bytes])
        refused("tiny", path)


def test_flipped_weight_in_an_archive_is_refused_by_its_checksum(path: Path) -> None:
    """torch itself would take it."""
    state = made_state()
    whole = zipped(state)
    place = whole.index(state["2.bias"].numpy().tobytes())
    damaged = bytearray(whole)
    damaged[place] ^= 1
    assert not torch.equal(torch.load(io.BytesIO(damaged))["2.bias"], state["2.bias"])
    path.write_bytes(damaged)
    assert "checksum" in refused("tiny", path)


def _pickled(state: dict[str, torch.Tensor]) -> bytes:
    return pickle.dumps({**state, "0.bias": Path("elsewhere")})


def _code(_: dict[str, torch.Tensor]) -> bytes:
    return zipped(Tiny())


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda state: b"", "another content"),
        (lambda state: b"no weights\n", "another content"),
        (_pickled, "another content"),
        (_code, "another content (UnpicklingError)"),
        (lambda state: zipped([torch.zeros(2)]), "no arrays with names"),
        (lambda state: zipped({1: torch.zeros(2)}), "no arrays with names"),
        (lambda state: zipped({**state, "2.bias": 3.0}), "no array as 2.bias"),
        (lambda state: zipped({**state, "2.bias": torch.zeros(3)}), "2.bias of shape (3,)"),
        (lambda state: zipped({**state, "2.bias": torch.zeros(2).int()}), "2.bias of torch.int32"),
        (
            lambda state: zipped({**state, "2.bias": torch.zeros(2).cfloat()}),
            "2.bias of torch.complex64",
        ),
        (
            lambda state: zipped({**state, "2.bias": torch.tensor([1.0, torch.nan])}),
            "2.bias with values that are not finite",
        ),
        (
            lambda state: zipped({**state, "3.bias": torch.zeros(2)}),
            "0 arrays are missing, 1 not of it ('3.bias')",
        ),
        (
            lambda state: zipped({key: one for key, one in state.items() if key != "0.bias"}),
            "1 arrays are missing ('0.bias'), 0 not of it",
        ),
        (lambda state: checkpoint(state, "vgg16"), "a checkpoint of 'vgg16'"),
        (lambda state: checkpoint(None), "no arrays with names"),
        (lambda state: b"\x89HDF\r\n\x1a\n" + bytes(100), "another content"),
        (lambda state: b"MATLAB 5.0 MAT-file" + bytes(200), "another content"),
    ],
)
def test_what_is_no_weights_of_the_network_is_named(
    path: Path, made: Callable[[dict[str, torch.Tensor]], bytes], said: str
) -> None:
    path.write_bytes(made(made_state()))
    assert said in refused("tiny", path)


def test_parts_of_an_archive_are_not_unpacked(path: Path) -> None:
    """A small file could fill the memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights/data.pkl", bytes(1000))
    assert "compressed parts" in refused("tiny", path)


def test_half_precision_is_taken_as_it_is(path: Path) -> None:
    state = made_state()
    path.write_bytes(zipped({**state, "2.bias": state["2.bias"].half()}))
    loaded = load_network("tiny", path).state_dict()["2.bias"]
    assert loaded.dtype == torch.float32
    assert torch.equal(loaded, state["2.bias"].half().float())


def test_counters_that_old_files_lack_are_not_missed(path: Path) -> None:
    state = {key: one for key, one in made_state().items() if "tracked" not in key}
    path.write_bytes(zipped(state))
    assert torch.equal(load_network("tiny", path).state_dict()["2.bias"], state["2.bias"])


def test_weights_are_as_contiguous_as_those_that_are_built(path: Path) -> None:
    """Whatever their strides in the file: the library's sums could differ in their last bits."""
    state = made_state()
    turned = {
        **state,
        "0.weight": state["0.weight"].permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0),
    }
    assert not turned["0.weight"].is_contiguous()
    path.write_bytes(zipped(turned))
    network = load_network("tiny", path)
    assert is_same(network, state)
    assert network.state_dict()["0.weight"].is_contiguous()


def test_part_of_a_larger_array_does_not_keep_the_rest(path: Path) -> None:
    state = made_state()
    path.write_bytes(zipped({**state, "2.bias": torch.arange(1000.0)[2:4]}))
    bias = load_network("tiny", path).state_dict()["2.bias"]
    assert bias.tolist() == [2.0, 3.0]
    assert bias.untyped_storage().nbytes() == 8


class Constant(Tiny):
    def __init__(self, n_classes: int = 2) -> None:
        super().__init__(n_classes)
        self.register_buffer("never_saved", torch.arange(3.0), persistent=False)


def test_buffer_that_is_never_saved_is_the_builders(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", replace(TINY, build=Constant))
    state = made_state()
    path.write_bytes(zipped(state))
    network = load_network("tiny", path)
    assert is_same(network, state)
    assert network.get_buffer("never_saved").tolist() == [0, 1, 2]


def test_number_that_single_precision_cannot_hold_is_refused(path: Path) -> None:
    state = made_state()
    path.write_bytes(zipped({**state, "2.bias": torch.tensor([1.0, 1e300], dtype=torch.float64)}))
    assert "2.bias with values that are not finite" in refused("tiny", path)


def test_checkpoint_is_built_as_it_was_trained(path: Path) -> None:
    choices = {"n_classes": 5, "channels": [4, 6, 8], "input_px": 32}
    network = NETWORKS["expression_cnn"].build(**choices)
    torch.save(checkpoint_of("expression_cnn", network, **choices), path)
    assert is_same(load_network("expression_cnn", path), network.state_dict())
    torch.save(checkpoint_of("expression_cnn", network), path)
    assert "arrays" in refused("expression_cnn", path)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"n_class": 5}, "choices 'n_class' in place of some of n_classes"),
        ({"n_classes": "5"}, "n_classes is no number, or too large"),
        ({"n_classes": -1}, "n_classes is no number, or too large"),
        ({"n_classes": 10**9}, "n_classes is no number, or too large"),
        ({"n_classes": [[1]]}, "n_classes is no number, or too large"),
        ({"n_classes": [1, 2]}, "a checkpoint that cannot be built (TypeError)"),
        ({"n_classes": 2.5}, "a checkpoint that cannot be built (ValueError)"),
        ([5], "choices 'none' in place of some of n_classes"),
    ],
)
def test_choices_that_a_builder_does_not_take_are_refused(
    path: Path, choices: object, said: str
) -> None:
    content = {"kind": CHECKPOINT, "network": "tiny", "choices": choices, "state": made_state()}
    torch.save(content, path)
    assert said in refused("tiny", path)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    assert "no such file" in refused("tiny", tmp_path / "absent")
    assert "Is a directory" in refused("tiny", tmp_path)


def test_random_weights_are_the_seeds_and_are_said_loudly(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(random_weights(3))
    before = torch.random.get_rng_state()
    with caplog.at_level(logging.WARNING):
        first, again = (load_network("tiny", path).state_dict() for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "tiny: RANDOM weights, seed 3" in caplog.text
    path.write_bytes(random_weights(4))
    other = load_network("tiny", path).state_dict()
    assert torch.equal(first["0.weight"], again["0.weight"])
    assert not torch.equal(first["0.weight"], other["0.weight"])


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch, path: Path) -> dict[str, torch.Tensor]:
    """The tiny network with weights of a package, which are at ``path``."""
    state = made_state()
    path.write_bytes(legacy(state))
    file = WeightFile("nowhere==1", "tiny.pth", sha256(path), "none")
    monkeypatch.setitem(NETWORKS, "tiny", replace(TINY, weights=file))
    return state


def test_weights_of_a_package_are_compared_whenever_they_are_opened(
    path: Path, carried: dict[str, torch.Tensor]
) -> None:
    assert is_same(load_network("tiny", path), carried)
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    assert f"sha256 {sha256(path)} in place of" in refused("tiny", path)


@pytest.mark.parametrize("kind", KINDS)
def test_beside_weights_of_a_package_only_a_checkpoint_is_taken(
    path: Path, carried: dict[str, torch.Tensor], kind: str
) -> None:
    other = made_state(seed=2)
    path.write_bytes(KINDS[kind](other))
    if kind == "checkpoint":
        assert is_same(load_network("tiny", path), other)
    else:
        assert "sha256" in refused("tiny", path)


@pytest.mark.parametrize("name", ["mobilenet_v2", "emotion_cnn", "mini_xception"])
def test_real_weights_are_opened_and_a_flipped_bit_is_not(
    weights: Path, path: Path, name: str
) -> None:
    assert not load_network(name, weights / name).training
    content = bytearray((weights / name).read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)
    assert "sha256" in refused(name, path)


def test_every_weight_of_mobilenet_comes_from_its_file(weights: Path) -> None:
    state = torch.load(weights / "mobilenet_v2", weights_only=True)
    assert is_same(load_network("mobilenet_v2", weights / "mobilenet_v2"), state)


def test_weights_of_the_emotion_network_are_under_their_key(weights: Path) -> None:
    state = torch.load(weights / "emotion_cnn", "cpu", weights_only=True)["network"]
    assert is_same(load_network("emotion_cnn", weights / "emotion_cnn"), state)


def test_weights_of_the_face_mesh_are_refused(weights: Path, path: Path) -> None:
    path.write_bytes((weights / "face_mesh").read_bytes())
    refused("vgg16", path)
    refused("mobilenet_v2", path)


def test_names_of_densenet_as_it_was_released_are_todays(path: Path) -> None:
    network = NETWORKS["densenet121"].build()
    state = network.state_dict()
    released = {
        key.replace("norm1", "norm.1").replace("norm2", "norm.2")
        .replace("conv1", "conv.1").replace("conv2", "conv.2")
        if "denselayer" in key else key: values
        for key, values in state.items()
        if "tracked" not in key
    }  # fmt: skip
    assert "features.denseblock1.denselayer1.norm.1.weight" in released
    path.write_bytes(legacy(released))
    assert is_same(load_network("densenet121", path), state)


def test_file_that_is_not_torchvisions_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(zipped(NETWORKS["shufflenet_v2"].build().state_dict()))
    with caplog.at_level(logging.INFO):
        load_network("shufflenet_v2", path)
    assert f"weights of shufflenet_v2, sha256 {sha256(path)}" in caplog.text
    assert "not torchvision's shufflenetv2_x1-5666bf0f80.pth" in caplog.text


def test_registered_file_by_torchvisions_name_is_not_warned_about(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(zipped(made_state()))
    monkeypatch.setitem(NETWORKS, "tiny", replace(TINY, released_as=f"t-{sha256(path)[:8]}.pth"))
    with caplog.at_level(logging.WARNING):
        load_network("tiny", path)
    assert caplog.text == ""
