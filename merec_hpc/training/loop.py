"""Trains a network: the same weights in every run, whether it was stopped or not."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from merec_hpc import __version__
from merec_hpc.config.base import to_json
from merec_hpc.config.training import TrainingSettings
from merec_hpc.errors import InterruptedSearchError, MerecError
from merec_hpc.learning.averages import class_averages
from merec_hpc.networks.devices import is_shortage, opened_device
from merec_hpc.networks.preparing import Preparation
from merec_hpc.networks.registry import find_network
from merec_hpc.networks.reproducible import ordinary, reproducible, seeded
from merec_hpc.records import Images, Text
from merec_hpc.training.augmentation import NOTHING, Change, changed, drawn_change, moved_points
from merec_hpc.training.checks import built_network, checked_images, validation_split
from merec_hpc.training.losses import image_loss
from merec_hpc.training.parts import parts_loss, target_maps
from merec_hpc.training.scoring import class_scores, on_device
from merec_hpc.training.state import EpochCurves, State, TrainingCheckpoints, TrainingState
from merec_hpc.training.streams import Purpose, batches_of, epoch_order, torch_seed

log = logging.getLogger(__name__)

Watcher = Callable[[EpochCurves], object]
Device = str | torch.device | None


@dataclass(frozen=True)
class Trained:
    """A network after training."""

    network: nn.Module
    curves: list[EpochCurves]
    chosen_epoch: int
    """Whose weights it has: with the least validation loss, or without validation the last."""
    validation_subjects: list[str]


def train(
    images: Images,
    settings: TrainingSettings,
    device: str | None = None,
    checkpoints: TrainingCheckpoints | None = None,
    stop: object = None,
    watch: Watcher | None = None,
) -> Trained:
    """Train a network on images of training subjects.

    Weights at the start, the order of images, their changes and dropout are functions of the seed,
    the epoch and the image or batch alone. On the CPU the same settings and images give the same
    bytes; training that goes on from a checkpoint gives those of one that was never stopped.

    Parameters
    ----------
    images
        Of training subjects alone. A few of these subjects choose the epoch: the network does not
        learn from them.
    device
        Of torch; without it the GPU where there is one.
    checkpoints
        Where the state is written to and read from; without them it is not. The last one stays, for
        the caller to remove when the network is in a file of its own.
    stop
        Its truth is looked at after each batch: once it is true, the state is written, if there are
        ``checkpoints``, and training ends.
    watch
        Called after each epoch.

    Raises
    ------
    MerecError
        If images or settings are not what they should be, memory is short, or a loss is no number.
    InterruptedSearchError
        If ``stop`` was true.
    """
    checked = checked_images(images, settings)
    learnt, validating = validation_split(checked, settings)
    opened = opened_device(device)
    try:
        with reproducible(), ordinary(opened):
            training = _Training(checked, learnt, validating, settings, opened)
            if checkpoints is not None:
                training.go_on(checkpoints)
            training.run(checkpoints, stop, watch)
            return training.trained()
    except RuntimeError as error:
        if not is_shortage(error):
            raise
        msg = (
            f"memory for {settings.batch_size} images at once expected on {opened}, found too "
            "little: lower training.batch_size"
        )
        raise MerecError(msg) from None


def training_key(images: Images, settings: TrainingSettings) -> str:
    """Return a digest of all that training depends on."""
    digest = hashlib.sha256(f"{__version__} {torch.__version__} {to_json(settings)}".encode())
    digest.update(repr(images.class_names.tolist()).encode())
    digest.update(repr(images.subjects.tolist()).encode())
    for values in (images.pixels, images.labels, images.landmarks):
        if values is not None:
            digest.update(f"{values.shape} {values.dtype}".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


class _Training:
    """One training under way."""

    def __init__(
        self,
        images: Images,
        learnt: NDArray[np.int64],
        validating: NDArray[np.int64],
        settings: TrainingSettings,
        device: torch.device,
    ) -> None:
        self.device = device
        self._key = training_key(images, settings)
        self._settings = settings
        self._images, self._validation = images.take(learnt), images.take(validating)
        n_classes = len(images.class_names)
        with seeded(torch_seed(settings.seed, Purpose.WEIGHTS)):
            self._network = built_network(settings, n_classes)
        known = find_network(settings.network)
        if known.has_mean_image:
            _learn_mean_image(self._network, self._images, settings)
        self._network.to(device)
        self._preparation = Preparation(known, self._network, settings.input_px, device)
        self._loss = image_loss(settings, self._images.labels, n_classes, device)
        self._optimiser = _optimiser(self._network, settings)
        self._state = TrainingState(0, 0, {}, {})

    def go_on(self, checkpoints: TrainingCheckpoints) -> None:
        """Take up the last state, if there is one."""
        state = checkpoints.load(self._key)
        if state is None:
            return
        self._network.load_state_dict(state.network)
        self._optimiser.load_state_dict(state.optimiser)
        self._state = state

    def run(
        self, checkpoints: TrainingCheckpoints | None, stop: object, watch: Watcher | None
    ) -> None:
        """Train to the last epoch, or as long as patience says."""
        state, settings = self._state, self._settings
        while state.epoch < settings.n_epochs and not self._is_patience_at_end():
            self._set_rate(settings.rate(state.epoch))
            order = epoch_order(settings.seed, state.epoch, len(self._images.labels))
            batches = batches_of(order, settings.batch_size)
            while state.step < len(batches):
                self._learn(batches[state.step])
                state.step += 1
                if stop:
                    self._save(checkpoints)
                    msg = f"stopped in epoch {state.epoch + 1} of {settings.n_epochs}"
                    raise InterruptedSearchError(msg)
                if checkpoints is not None and checkpoints.is_due():
                    self._save(checkpoints)
            self._end_epoch()
            if watch is not None:
                watch(state.curves[-1])

    def trained(self) -> Trained:
        """Return the network of the epoch that is chosen."""
        state = self._state
        if state.best is not None:
            self._network.load_state_dict(state.best)
        for name, values in self._network.state_dict().items():
            if not values.isfinite().all():
                msg = (
                    f"finite weights expected, found others in {name}: lower training.learning_rate"
                )
                raise MerecError(msg)
        return Trained(
            self._network.eval(),
            state.curves,
            state.best_epoch or state.epoch,
            np.unique(self._validation.subjects).tolist(),
        )

    def _learn(self, places: NDArray[np.int64]) -> None:
        """Learn from one batch."""
        state, settings = self._state, self._settings
        batch = on_device(self._images.pixels[places], self.device)
        changes: list[Change] = []
        if settings.augmentation != NOTHING:
            where = (settings.augmentation, settings.seed, state.epoch)
            changes = [drawn_change(*where, place) for place in places.tolist()]
            batch = changed(batch, changes)
        labels = torch.from_numpy(self._images.labels[places]).to(self.device)
        precision = getattr(torch, settings.precision)
        self._network.train()
        self._optimiser.zero_grad(set_to_none=True)
        seed = torch_seed(settings.seed, Purpose.DROPOUT, state.epoch, state.step)
        with seeded(seed, self.device):
            with torch.autocast(self.device.type, precision, enabled=precision != torch.float32):
                scores, relevance = self._answers(self._preparation.prepared(batch))
            losses = self._loss(scores.float(), labels)
            if relevance is not None:
                targets = self._targets(places, changes, relevance.shape[-1])
                parts = parts_loss(relevance.float(), targets, settings.parts)
                losses = losses + settings.parts.weight * parts
            losses.mean().backward()  # type: ignore[no-untyped-call]
        self._check_finite(losses.detach(), self._images.names[places])
        self._optimiser.step()
        state.loss_sum += float(losses.detach().double().sum())
        state.n_right += int((scores.detach().argmax(1) == labels).sum())

    def _answers(self, batch: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return scores, (n_images, n_classes), and the relevance map, if the loss is of that too."""
        if self._settings.parts.supervision == "none":
            scores: Tensor = self._network(batch)
            return scores.flatten(1), None
        network: Any = self._network
        scores, relevance = network.scores_and_relevance(batch)
        return scores, relevance

    def _targets(
        self, places: NDArray[np.int64], changes: Sequence[Change], side: int
    ) -> Tensor | None:
        """Return target maps of images as they were changed, (n_images, side, side)."""
        if self._images.landmarks is None:
            return None
        height, width = self._images.pixels.shape[1:3]
        points: NDArray[np.floating] = self._images.landmarks[places]
        if changes:
            pairs = zip(points, changes, strict=True)
            points = np.stack([moved_points(*pair, height, width) for pair in pairs])
        points = (points + 0.5) * (side / np.array([width, height])) - 0.5
        maps = target_maps(points, side, self._settings.parts.sigma_px)
        return torch.from_numpy(maps).to(self.device)

    def _check_finite(self, losses: Tensor, names: Text) -> None:
        is_finite = losses.isfinite().cpu().numpy()
        if is_finite.all():
            return
        first, state = int(is_finite.argmin()), self._state
        msg = (
            f"a loss that is a number expected, found {losses[first].item()} of image "
            f"'{names[first]}' in epoch {state.epoch + 1}, batch {state.step + 1}: "
            "lower training.learning_rate"
        )
        raise MerecError(msg)

    def _end_epoch(self) -> None:
        state, n_images = self._state, len(self._images.labels)
        said: Mapping[str, float] = {}
        if len(self._validation.labels):
            said = self._validated()
        row = EpochCurves(
            epoch=state.epoch + 1,
            learning_rate=self._settings.rate(state.epoch),
            training_loss=state.loss_sum / n_images,
            training_accuracy=state.n_right / n_images,
            **said,
        )
        state.curves.append(row)
        state.epoch, state.step, state.loss_sum, state.n_right = row.epoch, 0, 0.0, 0
        if row.validation_loss is not None and row.validation_loss < self._least_loss():
            state.best_epoch, state.best = row.epoch, _copied(self._network.state_dict())
        log.info("%s", row)

    def _least_loss(self) -> float:
        """Return the least validation loss of the epochs before the last."""
        losses = (row.validation_loss for row in self._state.curves[:-1])
        return min((loss for loss in losses if loss is not None), default=np.inf)

    def _is_patience_at_end(self) -> bool:
        patience, state = self._settings.patience, self._state
        return patience is not None and state.epoch - state.best_epoch >= patience

    def _validated(self) -> dict[str, float]:
        labels = self._validation.labels
        scores = class_scores(
            self._network,
            self._preparation,
            self._validation.pixels,
            self._settings.batch_size,
            self.device,
        )
        losses = self._loss(
            torch.from_numpy(scores).float().to(self.device),
            torch.from_numpy(labels).to(self.device),
        )
        self._check_finite(losses, self._validation.names)
        predicted = scores.argmax(1)
        return {
            "validation_loss": float(losses.double().mean()),
            "validation_accuracy": float((predicted == labels).mean()),
            "validation_uar": class_averages(labels, predicted, "macro").recall,
        }

    def _set_rate(self, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = rate

    def _save(self, checkpoints: TrainingCheckpoints | None) -> None:
        if checkpoints is not None:
            self._state.network = self._network.state_dict()
            self._state.optimiser = self._optimiser.state_dict()
            checkpoints.save(self._state, self._key)


def _optimiser(network: nn.Module, settings: TrainingSettings) -> Optimizer:
    common: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.optimiser == "adam":
        return torch.optim.Adam(network.parameters(), **common)
    return torch.optim.SGD(network.parameters(), momentum=settings.momentum, **common)


def _learn_mean_image(network: nn.Module, images: Images, settings: TrainingSettings) -> None:
    """Make the network subtract the mean of the images that it learns from, as paper 1 does."""
    mean_image = network.get_buffer("mean_image")
    mean_image.zero_()
    known = find_network(settings.network)
    cpu = torch.device("cpu")
    preparation = Preparation(known, network, mean_image.shape[-1], cpu)
    total = torch.zeros(mean_image.shape, dtype=torch.float64)
    for start in range(0, len(images.labels), settings.batch_size):
        batch = on_device(images.pixels[start : start + settings.batch_size], cpu)
        total += preparation.prepared(batch, of_changes=True).double().sum(0)
    mean_image.copy_(total / len(images.labels))


def _copied(state: Mapping[str, Tensor]) -> State:
    return {name: deepcopy(values.detach()) for name, values in state.items()}
