"""One object that predicts: what was selected, by whom it was decided, and how to scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import Decider
from merec_hpc.config.scaling import ScalingSettings
from merec_hpc.evaluation.rule_machines import RuleMachines, fit_rule_machines
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, LinearMachines, Population, Predictor, Selection, Text
from merec_hpc.selection.deciders import decide, deciding, deciding_rules, trained
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


def decisions_of(predictor: Predictor, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what speaks for each class, (n_clips, n_classes), from (n_clips, n_features).

    Decision values of one machine, or of several the shares of their votes.
    """
    machines = LinearMachines(predictor.weights, predictor.intercepts)
    return decide(machines, (values - predictor.mean) / predictor.std)


def predict(predictor: Predictor, values: NDArray[np.floating]) -> Text:
    """Return the name of the class that most speaks for, of equals the first, (n_clips,)."""
    places = decisions_of(predictor, values).argmax(axis=1)
    return np.asarray(predictor.class_names[places], np.str_)


@dataclass(frozen=True)
class Machines:
    """Trained machines, behind the scaling that was learnt from the same clips."""

    linear: LinearMachines
    scaling: Scaling
    individuals: Population
    """Those that decide."""
    class_names: Text  # (n_classes,), of the training clips
    feature_names: Text  # (n_features,)

    def decisions(self, clips: Features) -> NDArray[np.float64]:
        """Return what speaks for each class, as ``decisions_of``.

        A transductive scaling wants all clips of each subject at once.
        """
        return decide(self.linear, self.scaling.apply(clips))

    def as_predictor(self) -> Predictor:
        """Return what predicts any clip by itself.

        Raises
        ------
        ValueError
            If the scaling is transductive: it needs the other clips of a clip's subject.
        """
        if self.scaling.is_transductive:
            msg = "a scaling that maps each clip by itself expected, found a transductive one"
            raise ValueError(msg)
        return Predictor(
            weights=self.linear.weights,
            intercepts=self.linear.intercepts,
            mean=self.scaling.mean,
            std=self.scaling.std,
            masks=self.individuals.masks,
            C=self.individuals.C,
            bias=self.individuals.bias,
            class_names=self.class_names,
            feature_names=self.feature_names,
        )


def fit_machines(
    training: Features, selections: Sequence[Selection], decider: Decider, scaling: ScalingSettings
) -> Machines | RuleMachines:
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
    rules = deciding_rules(selections, decider)
    if rules is not None:
        return fit_rule_machines(training, rules, scaling)
    individuals = deciding(selections, decider)
    if individuals.masks.shape[1] != len(training.names):
        msg = (
            f"masks of {len(training.names)} features expected, found {individuals.masks.shape[1]}"
        )
        raise ValueError(msg)
    learnt = Scaling.learn(training, scaling)
    fitness = SubjectFoldFitness(learnt.apply(training), training.labels, training.subjects)
    return Machines(
        trained(fitness, individuals, decider),
        learnt,
        individuals,
        class_names=training.class_names[fitness.classes.astype(np.int64)],
        feature_names=training.names,
    )


def fit_predictor(
    training: Features, selections: Sequence[Selection], decider: Decider, scaling: ScalingSettings
) -> Predictor:
    """Train what predicts any clip by itself: ``fit_machines``, ``Machines.as_predictor``."""
    return fit_machines(training, selections, decider, scaling).as_predictor()
