"""Turns what is known of each block of features into the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from merec_hpc.config.evaluation import TRANSDUCTIVE, EvaluationSettings
from merec_hpc.evaluation.blocks import BlockShare
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.report.scores import Score, score_methods


@dataclass(frozen=True)
class BlockRow:
    """One block of features: what it is worth alone, and how much of the masks lies in it."""

    block: str
    n_features: int
    weight: float
    """What each of its scaled features is multiplied by."""
    scores: Mapping[str, Score]
    """Of all its features alone, by the name of the metric."""
    shares: Mapping[str, float]
    """Of the features that a selector chose, by its name: mean over folds."""


def block_rows(
    predictions: Sequence[Prediction], shares: Sequence[BlockShare], settings: EvaluationSettings
) -> list[BlockRow]:
    """Return a row for each block, in order; an empty mask has no share in any."""
    rows = []
    for scored in score_methods(predictions, settings):
        own = [row for row in shares if row.block == scored.method.removesuffix(TRANSDUCTIVE)]
        known = own[0]
        rows.append(
            BlockRow(
                scored.method,
                known.n_features,
                known.weight,
                scored.scores,
                {
                    selector: float(np.mean([row.share for row in own if row.selector == selector]))
                    for selector in dict.fromkeys(row.selector for row in own)
                },
            )
        )
    return rows
