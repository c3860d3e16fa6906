"""Opens files of weights, of whatever kind they are, and checks them.

The kind is told by a file's first bytes, never by its name: torch's own (a state dict, as
torchvision releases them, or a checkpoint of ours), safetensors, MATLAB, Keras's HDF5, and a file
that asks for random weights from a seed.
"""

import hashlib
import inspect
import io
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from merec_hpc.errors import MerecError
from merec_hpc.networks.matlab_file import SIGNATURE as MATLAB
from merec_hpc.networks.network import Network
from merec_hpc.networks.random_weights import asked_seed
from merec_hpc.networks.registry import find_network
from merec_hpc.networks.safetensors import looks_like_safetensors, read_safetensors
from merec_hpc.networks.torch_archive import SIGNATURE as ARCHIVE
from merec_hpc.networks.torch_archive import checked_archive
from merec_hpc.networks.unreadable import UnreadableError

if TYPE_CHECKING:
    from torch import nn

log = logging.getLogger(__name__)

CHECKPOINT = "merec_hpc checkpoint"
"""What a checkpoint of ours says under ``kind``."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"  # torch's magic number
_LARGEST = 100_000  # of what a checkpoint says about sizes
_COUNTER = "num_batches_tracked"  # which files of old torch lack


@dataclass(frozen=True)
class _Opened:
    """What a file holds: arrays by name, and how the network is built that they are of."""

    state: Mapping[str, Any]
    is_checkpoint: bool = False
    choices: Mapping[str, Any] = field(default_factory=dict)


def checkpoint_of(name: str, network: "nn.Module", **choices: object) -> dict[str, object]:
    """Return what ``torch.save`` makes a checkpoint of.

    Parameters
    ----------
    name
        Of the network in the registry.
    network
        It, trained.
    **choices
        Keyword arguments of its builder that it was built with: numbers, or lists of them.
    """
    state = network.state_dict()
    return {"kind": CHECKPOINT, "network": name, "choices": choices, "state": state}


def load_network(name: str, weights: Path) -> "nn.Module":
    """Return a network with its weights, ready to be evaluated.

    A network whose weights a package carries is opened if the file's sha256 is theirs, or if it is
    a checkpoint of ours, which names the network.

    Raises
    ------
    MerecError
        If the file does not hold this network's weights, or is damaged.
    """
    known = find_network(name)
    try:
        content = weights.read_bytes()
    except FileNotFoundError:
        msg = f"{weights}: weights of {name} expected, found no such file"
        raise MerecError(msg) from None
    except OSError as error:
        msg = f"{weights}: weights of {name} expected, found: {error.strerror}"
        raise MerecError(msg) from None
    try:
        return _opened(name, known, content, str(weights)).eval()
    except UnreadableError as error:
        msg = f"{weights}: weights of {name} expected, found {error}"
        raise MerecError(msg) from None


def _opened(name: str, known: Network, content: bytes, place: str) -> "nn.Module":
    seed = asked_seed(content)
    if seed is not None:
        log.warning("%s: RANDOM weights, seed %d: nothing was learned by them", name, seed)
        return _random(known, seed)
    digest = hashlib.sha256(content).hexdigest()
    is_known = known.weights is not None and digest == known.weights.sha256
    if known.weights is not None and not is_known and not content.startswith(ARCHIVE):
        msg = f"another content, of sha256 {digest} in place of {known.weights.sha256}"
        raise UnreadableError(msg)
    opened = _read(name, known, content)
    if known.weights is not None and not is_known and not opened.is_checkpoint:
        msg = f"another content, of sha256 {digest} in place of {known.weights.sha256}"
        raise UnreadableError(msg)
    if known.weights is None and not opened.is_checkpoint:
        log.info("%s: weights of %s, sha256 %s", place, name, digest)
        released = known.released_as.rpartition("-")[2].partition(".")[0]
        if released and not digest.startswith(released):
            log.warning("%s: not torchvision's %s, by its sha256", place, known.released_as)
    return _built(known, opened)


def _random(known: Network, seed: int) -> "nn.Module":
    """Build with weights that the seed alone decides; the caller's random numbers go on as before."""
    from merec_hpc.networks.reproducible import seeded  # noqa: PLC0415  # torch takes seconds

    with seeded(seed):
        return known.build()


def _read(name: str, known: Network, content: bytes) -> _Opened:
    """Return the arrays by the architecture's names."""
    import torch  # noqa: PLC0415  # takes seconds

    if content.startswith((ARCHIVE, _LEGACY)):
        return _read_torch(name, known, content)
    if looks_like_safetensors(content):
        arrays = read_safetensors(content)
    elif content.startswith(MATLAB) and "matlab" in known.readers:
        arrays = dict(known.readers["matlab"](content))
    elif content.startswith(_HDF5) and "keras" in known.readers:
        arrays = dict(known.readers["keras"](content))
    else:
        msg = "another content"
        raise UnreadableError(msg)
    if any(values.dtype.kind not in "fiub" for values in arrays.values()):
        msg = "arrays that are no numbers"
        raise UnreadableError(msg)
    native = {
        key: np.array(values, values.dtype.newbyteorder("=")) for key, values in arrays.items()
    }
    return _Opened({_today(known, key): torch.from_numpy(one) for key, one in native.items()})


def _today(known: Network, key: str) -> str:
    return known.released_name(key) if known.released_name else key


def _read_torch(name: str, known: Network, content: bytes) -> _Opened:
    found, choices = _torch_content(content), {}
    is_checkpoint = isinstance(found, dict) and found.get("kind") == CHECKPOINT
    if is_checkpoint:
        if found.get("network") != name:
            msg = f"a checkpoint of {str(found.get('network'))[:60]!r}"
            raise UnreadableError(msg)
        choices = found.get("choices", {})
        _check_choices(known, choices)
        found = found.get("state")
    elif known.state_key is not None and isinstance(found, dict):
        found = found.get(known.state_key)
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        msg = "another content: no arrays with names"
        raise UnreadableError(msg)
    state = {_today(known, key): values for key, values in found.items()}
    return _Opened(state, is_checkpoint, choices)


def _check_choices(known: Network, choices: object) -> None:
    """Raise if a checkpoint's choices are not numbers that the network's builder takes."""
    takes = inspect.signature(known.build).parameters
    if not isinstance(choices, dict) or not set(choices) <= set(takes):
        said = ", ".join(str(key)[:40] for key in choices) if isinstance(choices, dict) else "none"
        msg = f"a checkpoint with choices {said!r} in place of some of {', '.join(takes)}"
        raise UnreadableError(msg)
    for key, value in choices.items():
        numbers = value if isinstance(value, list | tuple) else [value]
        if not all(isinstance(one, int | float) and 0 <= one <= _LARGEST for one in numbers):
            msg = f"a checkpoint whose {key} is no number, or too large"
            raise UnreadableError(msg)


def _torch_content(content: bytes) -> Any:
    """Return what torch saved; arrays and plain objects alone, checksums compared."""
    import torch  # noqa: PLC0415  # takes seconds

    if content.startswith(ARCHIVE):
        content = checked_archive(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles that are refused anyway
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    # torch raises whatever its parts do on a file that is not what it should be.
    except Exception as error:  # noqa: BLE001
        msg = f"another content ({type(error).__name__})"
        raise UnreadableError(msg) from None


def _built(known: Network, opened: _Opened) -> "nn.Module":
    """Return the network with these arrays, each checked against the one that belongs there."""
    import torch  # noqa: PLC0415  # takes seconds

    # Without memory, nor time, for weights that are replaced.
    try:
        with torch.device("meta"):
            network = known.build(**opened.choices)
    # Whatever a builder raises when a checkpoint gives it sizes that do not fit.
    except Exception as error:
        if not opened.choices:
            raise
        msg = f"a checkpoint that cannot be built ({type(error).__name__})"
        raise UnreadableError(msg) from None
    taken = _checked(network.state_dict(), opened.state)
    network.load_state_dict(taken, assign=True)
    if any(buffer.is_meta for buffer in network.buffers()):  # one that is never saved
        network = known.build(**opened.choices)
        network.load_state_dict(taken)
    return network


def _checked(expected: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays in the kinds that are expected, or raise where one is not what it should be."""
    import torch  # noqa: PLC0415  # takes seconds

    missing = [key for key in expected if key not in state and not key.endswith(_COUNTER)]
    unknown = [key for key in state if key not in expected]
    if missing or unknown:
        msg = (
            f"another content: {len(missing)} arrays are missing"
            f"{_first(missing)}, {len(unknown)} not of it{_first(unknown)}"
        )
        raise UnreadableError(msg)
    taken = {}
    for key, wanted in expected.items():
        values = state.get(key, torch.zeros((), dtype=torch.int64))  # a counter
        if not isinstance(values, torch.Tensor) or values.layout != torch.strided:
            msg = f"another content: no array as {key}"
            raise UnreadableError(msg)
        if values.shape != wanted.shape:
            msg = f"{key} of shape {tuple(values.shape)} in place of {tuple(wanted.shape)}"
            raise UnreadableError(msg)
        if values.is_floating_point() != wanted.is_floating_point() or values.is_complex():
            msg = f"{key} of {values.dtype} in place of {wanted.dtype}"
            raise UnreadableError(msg)
        # As the network has it, whatever strides, precision and neighbours it had in the file.
        own = values.detach().to(wanted.dtype).contiguous()
        taken[key] = own.clone() if own.untyped_storage().nbytes() > own.nbytes else own
        # Extremes show what is not finite, NaN too, without a copy of the array.
        if own.numel() and not all(one.isfinite() for one in own.aminmax()):
            msg = f"{key} with values that are not finite"
            raise UnreadableError(msg)
    return taken


def _first(names: list[str]) -> str:
    return f" ('{names[0][:60]!s}')" if names else ""
