"""What blocks of features are worth alone, and what of a mask lies in each."""

from dataclasses import replace

import numpy as np
import pytest

from merec_hpc.config.scaling import STANDARD, ScalingSettings
from merec_hpc.config.selection import AllFeaturesSettings
from merec_hpc.evaluation.blocks import block_names, decide_by_block, share_of_blocks
from merec_hpc.evaluation.held_out import held_out_decisions
from merec_hpc.records import Features
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.training_folds import fold_fitness

SETTINGS = AllFeaturesSettings(bias=(0.0,), C_values=(0.1, 1.0))
FOLDS = ("s01", "s03")


@pytest.fixture
def joined(features: Features) -> Features:
    """Six features that carry the class, beside 24 of noise."""
    return replace(
        features,
        blocks=np.repeat(["good", "noise"], [6, 24]),
        weights=np.repeat([0.4, 0.2], [6, 24]),
    )


@pytest.mark.parametrize("scaling", [STANDARD, ScalingSettings(kind="transductive_shrunk")])
def test_a_block_decides_as_if_there_were_no_other(
    joined: Features, features: Features, scaling: ScalingSettings
) -> None:
    decided = {
        (block, fold): found
        for block, fold, found in decide_by_block(joined, FOLDS, SETTINGS, scaling)
    }
    assert list(decided) == [(block, fold) for block in ("good", "noise") for fold in FOLDS]
    for block, first, last, weight in (("good", 0, 6, 0.4), ("noise", 6, 30, 0.2)):
        alone = features.with_features(np.isin(np.arange(30), range(first, last)))
        alone = replace(alone, weights=np.full(last - first, weight))
        for fold in FOLDS:
            fitness, _ = fold_fitness(alone, fold, scaling)
            chosen = select_all_features(fitness, SETTINGS)
            expected = held_out_decisions(alone, fold, chosen.mask, chosen.C, scaling)
            np.testing.assert_array_equal(decided[block, fold], expected)


def test_labels_of_the_held_out_subject_change_no_decision(joined: Features) -> None:
    labels = joined.labels.copy()
    held_out = joined.subjects == "s01"
    labels[held_out] = labels[held_out][::-1]
    before, after = (
        [found for _, _, found in decide_by_block(one, ["s01"], SETTINGS, STANDARD)]
        for one in (joined, replace(joined, labels=labels))
    )
    np.testing.assert_array_equal(before, after)


def test_shares_count_what_was_chosen_in_each_block(joined: Features) -> None:
    mask = np.zeros(30, np.bool_)
    mask[[0, 1, 2, 29]] = True
    good, noise = share_of_blocks("genetic", "s01", mask, joined)
    assert (good.block, good.n_selected, good.share, good.n_features) == ("good", 3, 0.75, 6)
    assert (noise.block, noise.n_selected, noise.share, noise.weight) == ("noise", 1, 0.25, 0.2)
    nothing = share_of_blocks("genetic", "s01", np.zeros(30, np.bool_), joined)
    assert [row.share for row in nothing] == [0, 0]


def test_one_extraction_has_no_blocks(features: Features) -> None:
    assert block_names(features) == []
