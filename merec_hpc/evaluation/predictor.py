"""One object that predicts: what was selected, by whom it was decided, and how to scale."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.base import ScalingName
from merec_hpc.config.evaluation import Decider
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, Predictor, Selection, Text
from merec_hpc.selection.deciders import decide, deciding, trained
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


def decisions_of(predictor: Predictor, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what speaks for each class, (n_clips, n_classes), from (n_clips, n_features).

    Decision values of one machine, or of several the shares of their votes.
    """
    return decide(predictor.weights, (values - predictor.mean) / predictor.std)


def predict(predictor: Predictor, values: NDArray[np.floating]) -> Text:
    """Return the name of the class that most speaks for, of equals the first, (n_clips,)."""
    places = decisions_of(predictor, values).argmax(axis=1)
    return np.asarray(predictor.class_names[places], np.str_)


def fit_predictor(
    training: Features, selections: Sequence[Selection], decider: Decider, scaling: ScalingName
) -> Predictor:
    """Train what a decider takes from selections, on the clips that these were made on.

    Parameters
    ----------
    selections
        Of the same training clips; several of different seeds for the ensemble.

    Raises
    ------
    ValueError
        If masks and features do not fit, or a champion or a vote is asked of several selections.
    """
    individuals = deciding(selections, decider)
    if individuals.masks.shape[1] != len(training.names):
        msg = (
            f"masks of {len(training.names)} features expected, found {individuals.masks.shape[1]}"
        )
        raise ValueError(msg)
    learnt = Scaling.fit(training.values, scaling)
    fitness = SubjectFoldFitness(learnt.apply(training.values), training.labels, training.subjects)
    weights = trained(fitness, individuals, decider)
    return Predictor(
        weights=weights,
        mean=learnt.mean,
        std=learnt.std,
        masks=individuals.masks,
        C=individuals.C,
        class_names=training.class_names[fitness.classes.astype(np.int64)],
        feature_names=training.names,
    )
