"""Trains on the training subjects of a fold and predicts the clips of the held-out one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from merec_hpc.arrays import Features
from merec_hpc.learning.linear_svm import train_svm
from merec_hpc.learning.scaling import Scaling

CLASSIFIERS = ("linear_svm",)


@dataclass(frozen=True)
class Prediction:
    """One clip, predicted by a machine that never saw its subject."""

    method: str
    classifier: str
    seed: int
    fold: str
    subject: str
    clip: str
    label: str
    predicted: str


def predict_held_out(
    features: Features,
    subject: str,
    mask: NDArray[np.bool_],
    C: float,
    scaling: Literal["none", "standard"],
) -> NDArray[np.int64]:
    """Return the predicted class of each clip of ``subject``, shape (n_held_out,).

    Scaling and SVM are learnt from the other subjects, on the features of the mask. Without
    a single feature the most frequent training class is named.
    """
    training, held_out = features.without(subject), features.only(subject)
    if not mask.any():
        majority = int(np.bincount(training.labels).argmax())
        return np.full(len(held_out.labels), majority, np.int64)
    learnt = Scaling.fit(training.values[:, mask], scaling)
    machine = train_svm(learnt.apply(training.values[:, mask]), training.labels, C)
    return machine.predict(learnt.apply(held_out.values[:, mask]))
