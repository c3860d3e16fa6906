"""Files of weights of every kind, of a network that is small."""

import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.io import savemat
from store.stores import SmallStore
from torch import nn

from merec_hpc.errors import MerecError
from merec_hpc.networks.matlab_file import read_matlab
from merec_hpc.networks.network import Network
from merec_hpc.networks.registry import NETWORKS
from merec_hpc.networks.unreadable import UnreadableError
from merec_hpc.networks.weight_sources import CHECKPOINT, load_network


class Tiny(nn.Sequential):
    def __init__(self, n_classes: int = 2) -> None:
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, n_classes, 3))


TINY = Network(Tiny, None, ("2",), 32, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0))


def made_state(seed: int = 1) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    network = Tiny()
    for name, values in network.named_buffers():
        if values.is_floating_point():
            values.copy_(torch.rand(values.shape) + 0.5)
        else:
            values.fill_(7)
        assert "running" in name or "tracked" in name
    return network.state_dict()


def zipped(state: object) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def legacy(state: object) -> bytes:
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def checkpoint(state: object, network: str = "tiny") -> bytes:
    return zipped({"kind": CHECKPOINT, "network": network, "state": state})


def safetensors(state: dict[str, torch.Tensor]) -> bytes:
    header, data = {}, b""
    for name, values in state.items():
        content = values.numpy().tobytes()
        header[name] = {
            "dtype": {torch.float32: "F32", torch.int64: "I64"}[values.dtype],
            "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


KINDS: dict[str, Callable[[Any], bytes]] = {
    "zipped": zipped,
    "legacy": legacy,
    "checkpoint": checkpoint,
    "safetensors": safetensors,
}


def _write(make: Callable[[Any], bytes], path: Path) -> None:
    path.write_bytes(make(made_state()))


def _read(path: Path) -> dict[str, NDArray[Any]]:
    with patch.dict(NETWORKS, {"tiny": TINY}):
        state = load_network("tiny", path).state_dict()
    return {name: values.numpy() for name, values in state.items()}


def _write_matlab(path: Path, *, do_compression: bool) -> None:
    """Arrays, texts, structures and cells, as MatConvNet's files have them."""
    layer = {"name": "conv1", "weights": np.ones((2, 2), np.float32), "pad": np.arange(4.0)}
    cell = np.empty((1, 2), object)
    cell[0, 0], cell[0, 1] = layer, "text"
    values = {"layers": cell, "mean": np.arange(24.0).reshape(2, 3, 4)}
    file = io.BytesIO()
    savemat(cast("Any", file), values, do_compression=do_compression)
    path.write_bytes(file.getvalue())


def _read_matlab(path: Path) -> dict[str, Any]:
    try:
        return read_matlab(path.read_bytes())
    except UnreadableError as error:
        raise MerecError(str(error)) from None


# An archive of torch has checksums; of MATLAB's files, variables that are compressed.
WEIGHT_FILES = {
    **{
        name: SmallStore(None, partial(_write, make), _read, name in {"zipped", "checkpoint"})
        for name, make in KINDS.items()
    },
    "matlab": SmallStore(
        None, partial(_write_matlab, do_compression=False), _read_matlab, is_checked=False
    ),
    "matlab_compressed": SmallStore(
        None, partial(_write_matlab, do_compression=True), _read_matlab, is_checked=False
    ),
}
"""Small files of weights, to be damaged."""
