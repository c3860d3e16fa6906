"""One feature more or less: as right as masks that are decided by themselves, or decided so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oracles.refined_digits import Clips

from merec_hpc.selection.fitness import subject_folds
from merec_hpc.selection.fitness.fold_machines import EXACT
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness, flipped_masks

KINDS = {
    "plain": lambda features, _: features,
    "offset of 30": lambda features, _: features + 30,
    "offset of 1000": lambda features, _: features + 1000,
    "wild sizes": lambda features, rng: features * 10.0 ** rng.uniform(-3, 3, features.shape[1]),
    "twins": lambda features, _: np.repeat(features[:, ::2], 2, axis=1)[:, : features.shape[1]],
}
N_FLIPS = 4


def _table(
    seed: int, kind: str, n_classes: int, width: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    n_clips = int(rng.integers(12, 26))
    features = rng.normal(size=(n_clips, max(2, int(width * n_clips))))
    labels = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n_clips - n_classes)])
    return KINDS[kind](features, rng), labels, np.sort(np.arange(n_clips) % 4)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(list(KINDS)),
    n_classes=st.sampled_from([2, 3]),
    width=st.sampled_from([0.1, 0.5, 1.0, 2.0, 6.0]),
    power=st.floats(-2, 6),
    scaling=st.sampled_from(["none", "standard"]),
    bias=st.sampled_from([0.0, 0.1, 3.0]),
)
def test_bounds_hold_in_hundreds_of_digits(
    seed: int, kind: str, n_classes: int, width: float, power: float, scaling: str, bias: float
) -> None:
    features, labels, subjects = _table(seed, kind, n_classes, width)
    fitness = SubjectFoldFitness(features, labels, subjects, scaling=scaling)
    rng = np.random.default_rng(seed)
    mask, C = rng.random(features.shape[1]) < 0.5, 10.0**power
    flipped = rng.choice(len(mask), min(N_FLIPS, len(mask)), replace=False)
    found, errors, is_known = fitness._decide_flips(mask, C, flipped, bias)
    for place, changed in enumerate(flipped_masks(mask, flipped)):
        if not (changed.any() and is_known[place]):
            continue
        for problem in fitness._problems():
            for fold, seen in problem.seen(changed, bias):
                held = fitness._folds.folds == fold
                penalties, clips = np.full(len(held), C), Clips.of(seen)
                for machine, target in enumerate(fitness._targets):
                    exact = clips.decisions(target, penalties, ~held)[held]
                    off = np.abs(found[machine, place, held] - exact)
                    assert (off <= errors[machine, place, held] + 1e-15 * np.abs(exact)).all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(list(KINDS)),
    n_classes=st.sampled_from([2, 3]),
    width=st.sampled_from([0.5, 1.0, 2.0]),
    power=st.floats(-2, 5),
    scaling=st.sampled_from(["none", "standard"]),
    bias=st.sampled_from([0.0, 0.1, 3.0]),
)
@pytest.mark.parametrize("criterion", ["mu", "balanced_hinge"])
def test_flips_score_as_their_masks(
    criterion: str,
    seed: int,
    kind: str,
    n_classes: int,
    width: float,
    power: float,
    scaling: str,
    bias: float,
) -> None:
    features, labels, subjects = _table(seed, kind, n_classes, width)
    fitness = SubjectFoldFitness(features, labels, subjects, scaling=scaling)
    rng = np.random.default_rng(seed)
    mask, C = rng.random(features.shape[1]) < 0.5, 10.0**power
    flipped = rng.choice(len(mask), min(N_FLIPS, len(mask)), replace=False)
    found = fitness.score_flips(mask, C, criterion, flipped, bias)
    masks = flipped_masks(mask, flipped)
    expected = fitness.score(masks, np.full(len(masks), C), criterion, np.full(len(masks), bias))
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_what_is_known_is_known_to_what_is_promised(
    bias: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels, subjects = _table(1, "plain", 3, 1.0)
    fitness = SubjectFoldFitness(features, labels, subjects)
    mask, flipped = np.arange(features.shape[1]) % 2 == 0, np.arange(4)
    one_by_one = []

    def decide(self: SubjectFoldFitness, changed: NDArray[np.bool_], *others: object) -> object:
        one_by_one.append(changed)
        return decide_exactly(self, changed, *others)

    decide_exactly = SubjectFoldFitness._decide_exactly
    monkeypatch.setattr(SubjectFoldFitness, "_decide_exactly", decide)
    fitness.score_flips(mask, 1.0, "balanced_hinge", flipped, bias)
    assert not one_by_one
    monkeypatch.setattr(subject_folds, "_FLIPS_EXACT", 1e-6 * EXACT)
    fitness.score_flips(mask, 1.0, "balanced_hinge", flipped, bias)
    assert len(one_by_one) == len(flipped)
