"""What images and settings must be for training to begin."""

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from merec_hpc.config.base import nearest
from merec_hpc.config.training import TrainingSettings
from merec_hpc.errors import MerecError, told
from merec_hpc.networks.network import Network
from merec_hpc.networks.registry import find_network
from merec_hpc.records import Images
from merec_hpc.training.augmentation import NOTHING
from merec_hpc.training.streams import Purpose, generator

_MAXIMUM = 255
Pixels = NDArray[np.uint8] | NDArray[np.float32]


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


def checked_images(images: Images, settings: TrainingSettings) -> Images:
    """Return images in the types that training works in.

    Raises
    ------
    MerecError
        If they are not what the network reads, fields are of different lengths, a label is of no
        class, landmarks that the loss is of are missing, or augmentation changes flow.
    """
    pixels = checked_pixels(np.asarray(images.pixels), settings.network, images.names)
    labels = np.asarray(images.labels)
    for name, found in (("labels", labels), ("subjects", images.subjects), ("names", images.names)):
        if np.shape(found) != (len(pixels),):
            msg = f"{name} of shape ({len(pixels)},), one for each image, expected, found {np.shape(found)}"
            raise MerecError(msg)
    if len(images.class_names) < 2:
        msg = f"two classes or more expected, found {len(images.class_names)}"
        raise MerecError(msg)
    if labels.dtype.kind not in "iu" or not 0 <= labels.min() <= labels.max() < len(
        images.class_names
    ):
        msg = f"labels from 0 to {len(images.class_names) - 1} expected, found others ({labels.dtype})"
        raise MerecError(msg)
    if find_network(settings.network).colours == "flow" and settings.augmentation != NOTHING:
        msg = f"training.augmentation: none expected of flow, which {settings.network} reads"
        raise MerecError(msg)
    landmarks = _landmarks(images, settings)
    return replace(images, pixels=pixels, labels=labels.astype(np.int64), landmarks=landmarks)


def checked_pixels(pixels: NDArray[Any], network: str, names: NDArray[Any]) -> Pixels:
    """Return images, (n_images, h, w, 3), bytes as they are, others in float32.

    Raises
    ------
    MerecError
        If they are not of that shape, there are none, values are not finite, or not from 0 to 255
        where the network reads frames.
    """
    known = find_network(network, "training.network")
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype.kind not in "uif":
        msg = (
            f"images of shape (n_images, h, w, 3) expected, found {pixels.shape} of {pixels.dtype}"
        )
        raise MerecError(msg)
    if not pixels.size:
        msg = f"images expected, found none in {pixels.shape}"
        raise MerecError(msg)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused
        values: Pixels = pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)
    finite = np.isfinite(values).all(axis=(1, 2, 3))
    if not finite.all():
        place = int(finite.argmin())
        name = names[place] if place < len(names) else place
        msg = f"image '{name}': finite values expected, found others"
        raise MerecError(msg)
    low, high = float(values.min()), float(values.max())
    if known.colours != "flow" and (low < 0 or high > _MAXIMUM):
        msg = f"pixels from 0 to {_MAXIMUM} expected, found {low:g} to {high:g}"
        raise MerecError(msg)
    return values


def _landmarks(images: Images, settings: TrainingSettings) -> NDArray[np.float32] | None:
    """Return the landmarks, if the loss is of them."""
    kind = settings.parts.supervision
    if kind not in {"full", "hybrid"}:
        return None
    if images.landmarks is None:
        msg = f"training.parts.supervision {kind}: landmarks expected, found none"
        raise MerecError(msg)
    landmarks = np.asarray(images.landmarks)
    shape, wanted = landmarks.shape, len(images.pixels)
    if len(shape) != 3 or shape[0] != wanted or shape[1] == 0 or shape[2] != 2:
        msg = f"landmarks of shape ({wanted}, n_landmarks, 2) expected, found {shape}"
        raise MerecError(msg)
    if landmarks.dtype.kind not in "uif" or not np.isfinite(landmarks).all():
        msg = (
            f"training.parts.supervision {kind}: landmarks expected, found some that are not finite"
        )
        raise MerecError(msg)
    return landmarks.astype(np.float32)


def built_network(settings: TrainingSettings, n_classes: int) -> nn.Module:
    """Return the network with random weights, as its settings choose it.

    Raises
    ------
    MerecError
        If there is no such network or choice, it cannot be so or take images of that side, or
        gives no score of each class.
    """
    name = settings.network
    known = find_network(name, "training.network")
    choices = choices_of(known, settings)
    side = settings.input_px or known.input_px
    try:
        network = known.build(n_classes=n_classes, **choices)
        _check_gives_scores(network, name)
        with torch.inference_mode():
            scores = network.eval()(torch.zeros(2, known.n_channels, side, side))
    except MerecError:
        raise
    # Whatever a builder and its layers raise of sizes that do not fit.
    except Exception as error:  # noqa: BLE001
        msg = (
            f"training.network: {name} with these choices and images of {side} x {side} expected, "
            f"found: {told(error)}"
        )
        raise MerecError(msg) from None
    if scores.flatten(1).shape != (2, n_classes):
        msg = (
            f"training.input_px: a side at which {name} gives {n_classes} scores expected, found "
            f"{side}, which gives {scores[0].numel()}"
        )
        raise MerecError(msg)
    if settings.parts.supervision != "none" and not hasattr(network, "scores_and_relevance"):
        msg = (
            f"training.parts.supervision: none expected of {name}, which has no relevance map, found "
            f"'{settings.parts.supervision}'"
        )
        raise MerecError(msg)
    return network


def _check_gives_scores(network: nn.Module, name: str) -> None:
    if isinstance(list(network.modules())[-1], nn.Softmax | nn.Sigmoid):
        msg = (
            f"training.network: one that gives scores expected, found '{name}', which gives "
            "probabilities"
        )
        raise MerecError(msg)


def choices_of(known: Network, settings: TrainingSettings) -> dict[str, Any]:
    """Return the keyword arguments of the builder but the number of classes.

    Raises
    ------
    MerecError
        If it takes no such one.
    """
    takes = list(inspect.signature(known.build).parameters)
    free = [name for name in takes if name not in {"n_classes", "input_px"}]
    for name in settings.choices:
        if name not in free:
            expected = f"some of {', '.join(free)}" if free else "none"
            msg = (
                f"training.choices: {expected} expected of {settings.network}, found '{name}'"
                f"{nearest(name, free)}"
            )
            raise MerecError(msg)
    choices: dict[str, Any] = dict(settings.choices)
    if settings.input_px is not None and "input_px" in takes:
        choices["input_px"] = settings.input_px
    return choices
