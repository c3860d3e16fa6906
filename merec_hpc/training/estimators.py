"""A network as a scikit-learn classifier of images."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from merec_hpc.config.training import TrainingSettings
from merec_hpc.errors import MerecError
from merec_hpc.networks.devices import opened_device
from merec_hpc.networks.preparing import Preparation
from merec_hpc.networks.registry import find_network
from merec_hpc.networks.reproducible import ordinary, reproducible
from merec_hpc.records import Images
from merec_hpc.selection.groups import owners_of
from merec_hpc.selection.mask_selector import seed_of
from merec_hpc.selection.parameters import settings_of
from merec_hpc.training.checks import checked_pixels
from merec_hpc.training.loop import train
from merec_hpc.training.scoring import class_scores


class NetworkClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """Train a network of the registry on images of some subjects, to predict those of others.

    What chooses the epoch are subjects among those that ``fit`` is given: in a cross-validation by
    groups no held-out subject has been seen. The same arguments and seed give the same bytes on a CPU.

    Parameters
    ----------
    network
        Name in the registry, default "ststnet", which reads flow.
    choices
        Of its architecture, by name, such as ``{"dropout": 0.2}``; default none.
    input_px
        Side that images are brought to; ``None`` (default) is the network's own.
    n_epochs
        Passes over the images, at least 1, default 100.
    batch_size
        Images of a step, at least 2, default 32, and at most the images to learn from.
    optimiser
        "adam" (default) or "sgd".
    learning_rate
        Above 0, default 0.001.
    milestones
        Pairs of a number of epochs and the learning rate from there on; default none.
    decay
        What the learning rate is multiplied by after each epoch, in (0, 1], default 1.
    momentum
        Of "sgd", in [0, 1), default 0.9.
    weight_decay
        At least 0, default 0.
    loss
        "cross_entropy" (default) or "focal".
    focal_gamma
        Exponent of the focal loss, at least 0, default 2.
    class_weight
        "none" (default), or "balanced" n / (m n_k) for n_k of n images in one of m classes.
    parts
        Keys of ``PartsSettings``, for "facial_parts" alone, such as ``{"supervision": "weak"}``; those
        that read landmarks are for ``merec_hpc.training.loop.train``. Default none.
    n_validation_subjects
        Subjects whose images choose the epoch, by the least loss, and are not learnt from; at
        least 0, default 2. With none the last epoch counts.
    patience
        Epochs without a better validation loss after which training ends, at least 1; ``None``
        (default) trains all.
    precision
        "float32" (default) or "bfloat16".
    augmentation
        Keys of ``AugmentationSettings``, such as ``{"flip": True}``; default none.
    device
        Of torch; ``None`` (default) is the GPU where there is one.
    random_state
        A whole number of at least 0, a ``RandomState``, or ``None`` (default) for another seed in
        each fit.

    Attributes
    ----------
    classes_
        Shape (n_classes,).
    network_
        The network of the chosen epoch, on the device.
    curves_
        What is known after each epoch.
    chosen_epoch_
        Counted from 1.
    validation_subjects_
        The groups that chose it.
    """

    __metadata_request__fit = {"groups": True}  # noqa: RUF012  # the form that scikit-learn reads

    def __init__(
        self,
        network: str = "ststnet",
        *,
        choices: Mapping[str, Any] | None = None,
        input_px: int | None = None,
        n_epochs: int = 100,
        batch_size: int = 32,
        optimiser: str = "adam",
        learning_rate: float = 1e-3,
        milestones: Sequence[tuple[int, float]] = (),
        decay: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        loss: str = "cross_entropy",
        focal_gamma: float = 2.0,
        class_weight: str = "none",
        parts: Mapping[str, Any] | None = None,
        n_validation_subjects: int = 2,
        patience: int | None = None,
        precision: str = "float32",
        augmentation: Mapping[str, Any] | None = None,
        device: str | None = None,
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.choices = choices
        self.input_px = input_px
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.optimiser = optimiser
        self.learning_rate = learning_rate
        self.milestones = milestones
        self.decay = decay
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.loss = loss
        self.focal_gamma = focal_gamma
        self.class_weight = class_weight
        self.parts = parts
        self.n_validation_subjects = n_validation_subjects
        self.patience = patience
        self.precision = precision
        self.augmentation = augmentation
        self.device = device
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X
            Images, shape (n_images, h, w, 3): RGB, 0..255, or flow's u, v and strain.
        y
            Classes, shape (n_images,).
        groups
            Whom each image shows, shape (n_images,), none missing; ``None`` takes every image for
            its own subject, with a warning.

        Raises
        ------
        ValueError
            If a parameter or an array is not as it should be, in one line.

        Warns
        -----
        UserWarning
            If there are no groups.
        """
        given = dict(self.get_params(deep=False))
        del given["device"], given["random_state"]
        nested = {
            name: _section(name, given[name]) for name in ("choices", "parts", "augmentation")
        }
        settings = settings_of(
            TrainingSettings,
            type(self).__name__,
            given | nested | {"seed": seed_of(self.random_state)},
        )
        labels = column_or_1d(y)
        check_classification_targets(labels)
        owners = owners_of(groups, len(labels))
        check_consistent_length(X, labels, owners)
        classes, places = np.unique(labels, return_inverse=True)
        subjects, subject_of = np.unique(owners, return_inverse=True)
        images = Images(
            np.asarray(X),
            places.astype(np.int64),
            np.array([f"{place:09d}" for place in subject_of]),
            np.array([str(place) for place in range(len(labels))]),
            np.array([str(one) for one in classes]),
        )
        try:
            trained = train(images, settings, self.device)
        except MerecError as error:
            raise ValueError(str(error)) from None
        self.classes_ = classes
        self.network_ = trained.network
        self.curves_ = trained.curves
        self.chosen_epoch_ = trained.chosen_epoch
        self.validation_subjects_ = subjects[[int(name) for name in trained.validation_subjects]]
        self._settings = settings
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the scores of the classes, (n_images, n_classes); of two what speaks for the second."""
        found = self._scores(X)
        return found[:, 1] - found[:, 0] if len(self.classes_) == 2 else found

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the classes by softmax, (n_images, n_classes)."""
        return np.asarray(softmax(self._scores(X), axis=1))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class with the highest score, of equals the first, (n_images,)."""
        places = self._scores(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def _scores(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        settings, given = self._settings, np.asarray(X)
        try:
            device = opened_device(self.device)
            pixels = checked_pixels(given, settings.network, np.arange(given.size))
        except MerecError as error:
            raise ValueError(str(error)) from None
        network = self.network_.to(device)
        with reproducible(), ordinary(device):
            known = find_network(settings.network)
            preparation = Preparation(known, network, settings.input_px, device)
            return class_scores(network, preparation, pixels, settings.batch_size, device)


def _section(name: str, value: object) -> Mapping[str, Any]:
    """Return a parameter that is a mapping or ``None``."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        msg = f"{name}: a mapping of keys to values or None expected, found {value!r}"
        raise ValueError(" ".join(msg.split()))  # noqa: TRY004  # as other parameters
    return value
