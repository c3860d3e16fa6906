"""Trains on the training subjects of a fold and predicts the clips of the held-out one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import ClassifierName, Oversampling
from merec_hpc.config.evaluation import Decider
from merec_hpc.config.scaling import ScalingSettings
from merec_hpc.evaluation.predictor import fit_machines
from merec_hpc.learning.classifiers import train_classifier
from merec_hpc.learning.oversampling import oversample
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, Selection


def held_out_decisions(
    features: Features,
    fold: str,
    mask: NDArray[np.bool_],
    C: float,
    scaling: ScalingSettings,
    classifier: ClassifierName = "linear_svm",
    oversampling: Oversampling = "none",
    seed: int = 0,
    *,
    bias: float = 0.0,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return what speaks for each class on the clips that a fold holds out.

    Scaling, SMOTE and classifier are learnt from the other clips, on the features of the mask. A
    transductive scaling also reads the means of the held-out subjects' clips, without their labels.
    Without a single feature the most frequent training class is named. A bias is that of
    ``train_svm``. Weights, (n_features,), multiply the scaled features, before SMOTE.

    Returns
    -------
    NDArray[np.float64]
        Shape (n_held_out, n_classes), minus infinity for a class without training clips.
    """
    training, held_out = features.without(fold), features.only(fold)
    if not mask.any():
        counts = np.bincount(training.labels, minlength=len(features.class_names))
        return np.tile(
            np.where(counts > 0, counts / counts.sum(), -np.inf), (len(held_out.labels), 1)
        )
    training, held_out = training.with_features(mask), held_out.with_features(mask)
    learnt = Scaling.learn(training, scaling)
    factors = 1.0 if weights is None else weights[mask]
    scaled = learnt.apply(training) * factors
    values, labels = oversample(scaled, training.labels, oversampling, seed)
    machine = train_classifier(classifier, values, labels, C, seed, bias)
    decisions = machine.decisions(learnt.apply(held_out) * factors)
    return _by_class(decisions, machine.classes, len(features.class_names))


def predict_held_out(
    features: Features,
    fold: str,
    mask: NDArray[np.bool_],
    C: float,
    scaling: ScalingSettings,
    *,
    bias: float = 0.0,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return the class that the linear SVM predicts for each clip that a fold holds out."""
    decisions = held_out_decisions(features, fold, mask, C, scaling, bias=bias, weights=weights)
    return np.asarray(decisions.argmax(axis=1), np.int64)


def decider_decisions(
    features: Features,
    fold: str,
    selections: Sequence[Selection],
    decider: Decider,
    scaling: ScalingSettings,
) -> NDArray[np.float64]:
    """Return what a decider says for each class, as ``held_out_decisions``."""
    machines = fit_machines(features.without(fold), selections, decider, scaling)
    places = {str(name): place for place, name in enumerate(features.class_names)}
    classes = np.array([places[str(name)] for name in machines.class_names], np.int64)
    return _by_class(machines.decisions(features.only(fold)), classes, len(places))


def _by_class(
    decisions: NDArray[np.float64], classes: NDArray[np.int64], n_classes: int
) -> NDArray[np.float64]:
    """Return decisions with a column for every class, (n_clips, n_classes)."""
    everything = np.full((len(decisions), n_classes), -np.inf)
    everything[:, classes] = decisions
    return everything
