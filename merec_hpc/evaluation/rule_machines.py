"""Trains the rules that decide in a fold, behind the scaling that was learnt from the same clips."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.scaling import ScalingSettings
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import DecidingRules, Features, Predictor, Text
from merec_hpc.selection.rule.learning import FittedRules, fit_rules


@dataclass(frozen=True)
class RuleMachines:
    """Trained rules that decide together."""

    fitted: FittedRules
    scaling: Scaling
    rules: DecidingRules
    class_names: Text  # (n_classes,), of the training clips
    feature_names: Text  # (n_features,)

    def decisions(self, clips: Features) -> NDArray[np.float64]:
        """Return what speaks for each class, (n_clips, n_classes).

        All clips of each subject at once are wanted where a rule is transductive.
        """
        return self.fitted.decisions(self.scaling.apply(clips), clips.subjects)

    def as_predictor(self) -> Predictor:
        """Return what predicts any clip by itself.

        Raises
        ------
        ValueError
            If a rule or the scaling is transductive: it needs the other clips of a clip's subject.
        """
        if self.scaling.is_transductive or self.fitted.is_transductive:
            msg = "what maps each clip by itself expected, found a transductive rule or scaling"
            raise ValueError(msg)
        (part,) = self.fitted.parts
        standard, n_rules = part.calibration.first, len(self.rules.genes)
        std = np.where(np.isfinite(standard.std), standard.std, 1.0)  # constant ones have no weight
        return Predictor(
            weights=part.coefficients[None],
            intercepts=part.intercepts[None],
            mean=self.scaling.mean + standard.mean * self.scaling.std,
            std=self.scaling.std * std,
            masks=np.ones((n_rules, len(self.feature_names)), np.bool_),
            C=self.rules.genes[:, 3],
            bias=np.sqrt(self.rules.genes[:, 2]),
            class_names=self.class_names,
            feature_names=self.feature_names,
        )


def fit_rule_machines(
    training: Features, rules: DecidingRules, scaling: ScalingSettings
) -> RuleMachines:
    """Train rules on the clips that they were chosen on."""
    learnt = Scaling.learn(training, scaling)
    values = learnt.apply(training)
    known = training.labels, training.subjects
    fitted = fit_rules(values, *known, rules, rules.min_clips, training.weights)
    return RuleMachines(
        fitted,
        learnt,
        rules,
        class_names=training.class_names[fitted.classes.astype(np.int64)],
        feature_names=training.names,
    )
