"""How a network is trained."""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from merec_hpc.config.base import STRICT, ClassWeight, Count, Name, Positive
from merec_hpc.config.features import Precision

Loss = Literal["cross_entropy", "focal"]
Optimiser = Literal["adam", "sgd"]
Supervision = Literal["none", "full", "weak", "hybrid"]
Large = Annotated[float, Field(gt=0.0, le=1e38)]  # what float32 holds
Factor = Annotated[float, Field(gt=0.0, le=1e6)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AugmentationSettings:
    """Changes of training images: one value of each list is drawn for each image and epoch.

    As they stand nothing changes. Lists are those of paper 4, III.C and IV.A.
    """

    flip: bool = False
    """Whether every second image, by chance, is mirrored from left to right."""
    rotations_deg: tuple[float, ...] = Field(default=(0.0,), min_length=1)
    skews: tuple[Annotated[float, Field(gt=-1.0, lt=1.0)], ...] = Field(
        default=(0.0,), min_length=1
    )
    """Of rows, and drawn anew of columns: pixels to the side a pixel."""
    scales: tuple[Positive, ...] = Field(default=(1.0,), min_length=1)
    """1.1 shows everything larger by a tenth."""
    shifts_px: tuple[float, ...] = Field(default=(0.0,), min_length=1)
    """To the right, and drawn anew downwards; an image that is mirrored is so afterwards."""
    low_percentiles: tuple[float, ...] = Field(default=(0.0,), min_length=1)
    high_percentiles: tuple[float, ...] = Field(default=(100.0,), min_length=1)
    """Values of a channel at the two percentiles become 0 and 255; at 0 and 100 nothing is done."""
    brightness: float = Field(default=0.0, ge=0.0, lt=1.0)
    contrast: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Largest change of the factor of all values, and of their distances from the image's mean."""

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        low, high = max(self.low_percentiles), min(self.high_percentiles)
        if not 0 <= min(self.low_percentiles) <= low < high <= max(self.high_percentiles) <= 100:
            msg = (
                "percentiles from 0 to 100 expected, the low ones below the high ones, found "
                f"{', '.join(f'{one:g}' for one in self.low_percentiles)} and "
                f"{', '.join(f'{one:g}' for one in self.high_percentiles)}"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PartsSettings:
    """What the relevance map of the facial-parts network is to be (paper 4, III.B)."""

    supervision: Supervision = "none"
    """"full": high about landmarks; "weak": sparse and smooth; "hybrid": both."""
    weight: Factor = 1.0
    """Of this loss beside that of the classes: the paper's lambda."""
    contiguity: float = Field(default=1.0, ge=0.0, le=1e6)
    """Of total variation beside sparsity: the paper's gamma."""
    weak_share: Factor = 1.0
    """Of the weak loss beside the full one, under "hybrid"."""
    sigma_px: float = Field(default=4.0, ge=0.1, le=1000.0)
    """Standard deviation of the Gaussians about landmarks, in pixels of what the network reads."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrainingSettings:
    """How a network is trained."""

    network: Name = "ststnet"
    choices: dict[str, Any] = Field(default_factory=dict)
    """Of its architecture, such as ``dropout``: numbers, or lists of them."""
    input_px: int | None = Field(default=None, ge=8)
    """Side that images are brought to; without it the network's own."""
    n_epochs: Count = 100
    batch_size: int = Field(default=32, ge=2)
    optimiser: Optimiser = "adam"
    learning_rate: Large = 1e-3
    milestones: tuple[tuple[Count, Large], ...] = ()
    """From so many epochs on another learning rate: ``[[50, 0.001]]``."""
    decay: float = Field(default=1.0, gt=0.0, le=1.0)
    """What the learning rate is multiplied by after each epoch."""
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    """Of sgd."""
    weight_decay: float = Field(default=0.0, ge=0.0, le=1e38)
    loss: Loss = "cross_entropy"
    focal_gamma: float = Field(default=2.0, ge=0.0, le=100.0)
    class_weight: ClassWeight = "none"
    parts: PartsSettings = Field(default_factory=PartsSettings)
    n_validation_subjects: int = Field(default=2, ge=0)
    """Training subjects, drawn by the seed, that choose the epoch; with none the last one counts."""
    patience: Count | None = None
    """Epochs without a better validation loss after which training ends."""
    precision: Precision = "float32"
    augmentation: AugmentationSettings = Field(default_factory=AugmentationSettings)
    seed: int = Field(default=0, ge=0)

    def __post_init__(self) -> None:
        """Check what involves more than one value."""
        starts = [start for start, _ in self.milestones]
        if starts != sorted(set(starts)):
            msg = f"milestones of rising epochs expected, found {', '.join(map(str, starts))}"
            raise ValueError(msg)
        if starts and starts[-1] >= self.n_epochs:
            msg = f"milestones below n_epochs {self.n_epochs} expected, found {starts[-1]}"
            raise ValueError(msg)
        for name, value in self.choices.items():
            numbers = value if isinstance(value, list | tuple) else [value]
            if not all(isinstance(one, int | float) and one >= 0 for one in numbers):
                msg = f"choices: numbers from 0, or lists of them, expected, found {name} {value!r}"
                raise ValueError(msg)
        self._check_idle()
        if self.patience is not None and not self.n_validation_subjects:
            msg = f"patience is {self.patience}, which needs n_validation_subjects, found 0"
            raise ValueError(msg)

    def _check_idle(self) -> None:
        """Refuse values that nothing would read."""
        for is_read, key, value, default, reader in (
            (self.optimiser == "sgd", "momentum", self.momentum, 0.9, "optimiser sgd"),
            (self.loss == "focal", "focal_gamma", self.focal_gamma, 2.0, "loss focal"),
            (
                self.parts.supervision != "none",
                "parts",
                self.parts,
                PartsSettings(),
                "parts.supervision",
            ),
        ):
            if not is_read and value != default:
                msg = f"{key} does nothing without {reader}"
                raise ValueError(msg)

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        base = self.learning_rate
        for start, rate in self.milestones:
            base = rate if epoch >= start else base
        return float(base * self.decay**epoch)
