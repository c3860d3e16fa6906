"""One forward step over all features, against scikit-learn's SequentialFeatureSelector.

    OMP_NUM_THREADS=1 python benchmarks/forward.py

71 clips of 8 subjects, 3 classes, 9216 features as correlated as deep ones, on one core. A step
adds one feature to a mask of some; ours scores every remaining feature by linear SVMs that leave
each subject out. The rival does so by LIBLINEAR through ``LinearSVC`` in ``cross_val_score``, on a
sample of the features, from which its time for all of them follows; it reaches a mask of k
features by being given these k, since it cannot start from a mask.
"""

import time

import numpy as np
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

N_CLIPS, N_SUBJECTS, N_CLASSES, N_FEATURES = 71, 8, 3, 9216
N_SAMPLED = 40  # features that the rival is timed on
PENALTIES = (0.1, 1.0, 10.0)
SIZES = (0, 3, 10, 30, 100)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    labels = np.arange(N_CLIPS) % N_CLASSES
    subjects = np.sort(np.arange(N_CLIPS) % N_SUBJECTS)
    factors = rng.normal(size=(N_CLIPS, 40)) + 0.5 * rng.normal(size=(N_CLASSES, 40))[labels]
    features = factors @ rng.normal(size=(40, N_FEATURES)) / 6
    features += rng.normal(size=features.shape)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    fitness = SubjectFoldFitness(features, labels, subjects)
    folds = list(LeaveOneGroupOut().split(features, labels, subjects))
    print("| features in the mask | C | ours, s | rival, s (projected) | ratio | same scores |")
    print("|---|---|---|---|---|---|")
    for size in SIZES:
        for C in PENALTIES:
            mask = np.zeros(N_FEATURES, np.bool_)
            mask[rng.choice(N_FEATURES, size, replace=False)] = True
            candidates = np.flatnonzero(~mask)
            fitness.score_flips(mask, C, "mu", candidates[:10])
            start = time.perf_counter()
            scores = fitness.score_flips(mask, C, "mu", candidates)
            ours = time.perf_counter() - start
            sampled = rng.choice(candidates, N_SAMPLED, replace=False)
            machine = LinearSVC(C=C, fit_intercept=False, dual=True, tol=1e-4, max_iter=100_000)
            start = time.perf_counter()
            found = [
                cross_val_score(machine, features[:, mask | _one(feature)], labels, cv=folds).mean()
                for feature in sampled
            ]
            rival = (time.perf_counter() - start) / N_SAMPLED * len(candidates)
            mine = scores[np.searchsorted(candidates, sampled)]
            same = np.mean(np.abs(mine - np.array(found)) < 1e-9)
            print(
                f"| {size} | {C:g} | {ours:.3f} | {rival:.0f} | {rival / ours:.0f} | {same:.2f} |",
                flush=True,
            )
    machine = LinearSVC(C=1.0, fit_intercept=False, max_iter=100_000)
    few = features[:, :N_SAMPLED]
    selector = SequentialFeatureSelector(machine, n_features_to_select=1, cv=folds)
    start = time.perf_counter()
    selector.fit(few, labels)
    rival = (time.perf_counter() - start) / N_SAMPLED * N_FEATURES
    start = time.perf_counter()
    fitness.score_flips(np.zeros(N_FEATURES, np.bool_), 1.0, "mu", np.arange(N_FEATURES))
    ours = time.perf_counter() - start
    print(
        f"\nThe first step, C = 1: {ours:.3f} s, SequentialFeatureSelector {rival:.0f} s by its "
        f"time on {N_SAMPLED} features: {rival / ours:.0f} times"
    )


def _one(feature: int) -> np.ndarray:
    mask: np.ndarray = np.zeros(N_FEATURES, np.bool_)
    mask[feature] = True
    return mask


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
