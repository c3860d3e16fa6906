"""How far training has come, and the files from which it goes on."""

import io
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from merec_hpc.files.sealed import read_sealed, remove_sealed, write_sealed

log = logging.getLogger(__name__)

State = dict[str, Tensor]


@dataclass(frozen=True)
class EpochCurves:
    """What is known after an epoch: a row of the training curves."""

    epoch: int
    """Counted from 1."""
    learning_rate: float
    training_loss: float
    """Mean over the images as they came, changed, while the network learnt from them."""
    training_accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    validation_uar: float | None = None


@dataclass
class TrainingState:
    """All that training needs to go on."""

    epoch: int
    """Epochs that are complete."""
    step: int
    """Batches of the epoch under way that are complete."""
    network: State
    optimiser: dict[str, Any]
    loss_sum: float = 0.0
    """Over the images of the epoch under way."""
    n_right: int = 0
    curves: list[EpochCurves] = field(default_factory=list)
    best_epoch: int = 0
    """With the least validation loss so far, counted from 1; 0 for none."""
    best: State | None = None
    """The network after it."""


@dataclass
class TrainingCheckpoints:
    """The checkpoints of one training, next to the file that it will write."""

    path: Path
    seconds: float = 60.0
    """Least time between two of them."""
    _written: float = field(default_factory=time.monotonic, init=False)

    def is_due(self) -> bool:
        """Return whether so much time has passed."""
        return time.monotonic() - self._written >= self.seconds

    def save(self, state: TrainingState, key: str) -> None:
        """Write the state; what was written last is kept as the former one.

        Parameters
        ----------
        key
            Digest of settings and images: the state of another training is not taken.
        """
        content = vars(state) | {"key": key, "curves": [vars(row) for row in state.curves]}
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_sealed(self.path, buffer.getvalue())
        self._written = time.monotonic()

    def load(self, key: str) -> TrainingState | None:
        """Return the last complete state of this training, or ``None`` and say why.

        Raises
        ------
        MerecError
            If a folder has the file's name.
        """
        payload = read_sealed(self.path)
        if payload is None:
            return None
        try:
            content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
            is_ours = content.pop("key") == key
        # Whole, but of something else: a search writes such files too.
        except Exception:  # noqa: BLE001
            is_ours = False
        if not is_ours:
            log.warning("%s: of other settings or data, training starts afresh", self.path)
            return None
        content["curves"] = [EpochCurves(**row) for row in content["curves"]]
        state = TrainingState(**content)
        log.info(
            "%s: training goes on after epoch %d, batch %d", self.path, state.epoch, state.step
        )
        return state

    def remove(self) -> None:
        """Remove all of them: training has ended."""
        remove_sealed(self.path)
