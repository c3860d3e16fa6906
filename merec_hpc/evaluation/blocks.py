"""What each of several blocks of features is worth alone, and how much of a mask lies in each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.scaling import ScalingSettings
from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.evaluation.held_out import held_out_decisions
from merec_hpc.records import Features
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.training_folds import fold_fitness


@dataclass(frozen=True)
class BlockShare:
    """How much of what a selector chose in a fold lies in one block."""

    selector: str
    fold: str | None
    block: str
    n_selected: int
    share: float
    """Of all features that were chosen; 0 where there are none."""
    n_features: int
    weight: float
    """What each of the block's scaled features is multiplied by."""


def block_names(features: Features) -> list[str]:
    """Return the blocks of features in their order; none if there is one extraction alone."""
    return [] if features.blocks is None else list(dict.fromkeys(features.blocks.tolist()))


def decide_by_block(
    features: Features,
    folds: Sequence[str],
    settings: AllFeaturesSettings,
    scaling: ScalingSettings,
) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Yield block, fold and what speaks for each class on the clips that the fold holds out.

    All features of the block decide, C and bias chosen on the inner folds: as the control
    all_features.
    Decisions are (n_held_out, n_classes).

    Raises
    ------
    ValueError
        If the training clips of a fold cannot be scored.
    """
    for block in block_names(features):
        assert features.blocks is not None
        own = features.with_features(features.blocks == block)
        for fold in folds:
            fitness, _ = fold_fitness(own, fold, scaling, settings)
            chosen = select_all_features(fitness, settings)
            decisions = held_out_decisions(
                own, fold, chosen.mask, chosen.C, scaling, bias=chosen.bias
            )
            yield block, fold, decisions


def share_of_blocks(
    selector: str, fold: str | None, mask: NDArray[np.bool_], features: Features
) -> list[BlockShare]:
    """Return how many of a mask's features, (n_features,), lie in each block."""
    assert features.blocks is not None
    assert features.weights is not None
    rows = []
    for block in block_names(features):
        own = features.blocks == block
        count = int(mask[own].sum())
        share = count / max(int(mask.sum()), 1)
        weight = float(features.weights[own][0])
        rows.append(BlockShare(selector, fold, block, count, share, int(own.sum()), weight))
    return rows
