"""What images and settings must be for training to begin."""

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from merec_hpc.config.base import nearest
from merec_hpc.config.training import TrainingSettings
from merec_hpc.errors import MerecError
from merec_hpc.networks.network import Network
from merec_hpc.networks.registry import find_network
from merec_hpc.records import Images
from merec_hpc.training.augmentation import NOTHING
from merec_hpc.training.streams import Purpose, generator

_MAXIMUM = 255


def validation_split(
    images: Images, settings: TrainingSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of images to learn from, and of those of the validation subjects.

    Subjects come in an order that the seed draws; one whose class nobody else shows stays.

    Raises
    ------
    MerecError
        If a class has no image to learn from, there are too few subjects, or a batch is larger
        than the set.
    """
    shown = np.bincount(images.labels, minlength=len(images.class_names))
    if not shown.all():
        msg = (
            f"training images of class '{images.class_names[shown.argmin()]}' expected, found none"
        )
        raise MerecError(msg)
    chosen: list[str] = []
    left = np.ones(len(images.labels), np.bool_)
    subjects = generator(settings.seed, Purpose.VALIDATION).permutation(np.unique(images.subjects))
    for subject in subjects:
        without = left & (images.subjects != subject)
        if len(chosen) == settings.n_validation_subjects:
            break
        if np.bincount(images.labels[without], minlength=len(images.class_names)).all():
            left = without
            chosen.append(str(subject))
    if len(chosen) < settings.n_validation_subjects:
        msg = (
            f"training.n_validation_subjects: {len(chosen)} at most expected of {len(subjects)} "
            f"subjects, so that every class is learnt, found {settings.n_validation_subjects}"
        )
        raise MerecError(msg)
    if settings.batch_size > left.sum():
        msg = (
            f"training.batch_size: {left.sum()} at most, the images to learn from, expected, "
            f"found {settings.batch_size}"
        )
        raise MerecError(msg)
    return np.flatnonzero(left), np.flatnonzero(~left)


def check_pixels(images: Images, settings: TrainingSettings) -> None:
    """Raise a ``MerecError`` if pixels are not what the network reads, or augmentation changes flow."""
    known = find_network(settings.network, "training.network")
    if images.pixels.ndim != 4 or images.pixels.shape[3] != 3:
        msg = f"images of shape (n_images, h, w, 3) expected, found {images.pixels.shape}"
        raise MerecError(msg)
    if len(images.pixels) == 0:
        msg = "images expected, found none"
        raise MerecError(msg)
    finite = np.isfinite(images.pixels).all(axis=(1, 2, 3))
    if not finite.all():
        msg = f"image '{images.names[finite.argmin()]}': finite values expected, found others"
        raise MerecError(msg)
    _check_landmarks(images, settings)
    if known.colours == "flow" and settings.augmentation != NOTHING:
        msg = f"training.augmentation: none expected of flow, which {settings.network} reads"
        raise MerecError(msg)
    if known.colours == "flow":
        return
    low, high = float(images.pixels.min()), float(images.pixels.max())
    if low < 0 or high > _MAXIMUM:
        msg = f"pixels from 0 to {_MAXIMUM} expected, found {low:g} to {high:g}"
        raise MerecError(msg)


def _check_landmarks(images: Images, settings: TrainingSettings) -> None:
    if settings.parts.supervision not in {"full", "hybrid"}:
        return
    landmarks = images.landmarks
    if landmarks is None or not np.isfinite(landmarks).all():
        found = "none" if landmarks is None else "some that are not finite"
        msg = f"training.parts.supervision {settings.parts.supervision}: landmarks expected, found {found}"
        raise MerecError(msg)
    if landmarks.shape[:1] + landmarks.shape[2:] != (len(images.pixels), 2):
        msg = f"landmarks of shape ({len(images.pixels)}, n_landmarks, 2) expected, found {landmarks.shape}"
        raise MerecError(msg)


def built_network(settings: TrainingSettings, n_classes: int) -> nn.Module:
    """Return the network with random weights, as its settings choose it.

    Raises
    ------
    MerecError
        If there is no such network or choice, it cannot be so, or gives probabilities in place of scores.
    """
    known = find_network(settings.network, "training.network")
    choices = choices_of(known, settings)
    try:
        network = known.build(n_classes=n_classes, **choices)
    except (TypeError, ValueError, RuntimeError, IndexError, ZeroDivisionError) as error:
        msg = f"training.choices: what {settings.network} can be expected, found: {error}"
        raise MerecError(msg) from None
    if any(isinstance(module, nn.Softmax) for module in network.modules()):
        msg = f"training.network: one that gives scores expected, found '{settings.network}', which gives probabilities"
        raise MerecError(msg)
    if settings.parts.supervision != "none" and not hasattr(network, "scores_and_relevance"):
        msg = f"training.parts.supervision: none expected of {settings.network}, which has no relevance map, found '{settings.parts.supervision}'"
        raise MerecError(msg)
    return network


def choices_of(known: Network, settings: TrainingSettings) -> dict[str, Any]:
    """Return the keyword arguments of the builder but the number of classes.

    Raises
    ------
    MerecError
        If it takes no such one.
    """
    takes = [name for name in inspect.signature(known.build).parameters if name != "n_classes"]
    for name in settings.choices:
        if name not in takes:
            msg = (
                f"training.choices: some of {', '.join(takes) or 'none'} expected of "
                f"{settings.network}, found '{name}'{nearest(name, takes)}"
            )
            raise MerecError(msg)
    choices = {
        name: list(one) if isinstance(one, tuple) else one for name, one in settings.choices.items()
    }
    if settings.input_px is not None and "input_px" in takes:
        choices.setdefault("input_px", settings.input_px)
    return choices
