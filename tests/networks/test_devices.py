"""Devices are those that are here; a shortage of memory is told from other errors."""

import pytest
import torch

from merec_hpc.errors import MerecError
from merec_hpc.networks.devices import find_device, is_shortage, opened_device


def test_without_a_gpu_everything_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device() == "cpu"
    assert opened_device() == opened_device("cpu") == torch.device("cpu")
    with pytest.raises(
        MerecError, match=r"device: one of those here \(cpu\) expected, found 'cuda'"
    ):
        opened_device("cuda")


def test_gpus_are_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA X")
    assert find_device() == "NVIDIA X"
    assert opened_device() == torch.device("cuda")
    assert opened_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(MerecError, match=r"\(cpu, cuda, cuda:0, cuda:1\) expected, found 'cuda:2'"):
        opened_device("cuda:2")


def test_shortage_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as short:
        torch.empty(2**60)
    assert is_shortage(short.value)
    assert is_shortage(torch.OutOfMemoryError())
    with pytest.raises(RuntimeError) as other:
        torch.ones(2) @ torch.ones(3)
    assert not is_shortage(other.value)
