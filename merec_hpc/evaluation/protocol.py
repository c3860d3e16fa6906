"""Trains on the training subjects of a fold and predicts the clips of the held-out one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.arrays import Features, Selection
from merec_hpc.config import Classifier, Decider, Oversampling
from merec_hpc.config import Scaling as ScalingKind
from merec_hpc.evaluation.predictor import fit_predictor, predict
from merec_hpc.learning.classifiers import train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.learning.scaling import Scaling


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
    scaling: ScalingKind,
    classifier: Classifier = "linear_svm",
    oversampling: Oversampling = "none",
    seed: int = 0,
) -> NDArray[np.int64]:
    """Return the predicted class of each clip of ``subject``, shape (n_held_out,).

    Scaling, SMOTE and classifier are learnt from the other subjects, on the features of the
    mask. Without a single feature the most frequent training class is named.
    """
    training, held_out = features.without(subject), features.only(subject)
    if not mask.any():
        majority = int(np.bincount(training.labels).argmax())
        return np.full(len(held_out.labels), majority, np.int64)
    learnt = Scaling.fit(training.values[:, mask], scaling)
    values, labels = oversample(
        learnt.apply(training.values[:, mask]), training.labels, oversampling, seed
    )
    machine = train_classifier(classifier, values, labels, C, seed)
    return np.asarray(machine.predict(learnt.apply(held_out.values[:, mask])), np.int64)


def decide_held_out(
    features: Features,
    subject: str,
    selections: Sequence[Selection],
    decider: Decider,
    scaling: ScalingKind,
) -> NDArray[np.int64]:
    """Return the predicted class of each clip of ``subject`` by a decider, shape (n_held_out,)."""
    predictor = fit_predictor(features.without(subject), selections, decider, scaling)
    places = {str(name): place for place, name in enumerate(features.class_names)}
    predicted = predict(predictor, features.only(subject).values)
    return np.array([places[str(name)] for name in predicted], np.int64)
