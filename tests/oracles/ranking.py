"""Rankings of features as their papers write them: one clip, one feature, one pair at a time."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr
from sklearn.feature_selection import f_classif


def mrmr_by_hand(
    features: NDArray[np.float64],  # (n_clips, n_features)
    labels: NDArray[np.int64],
    n_selected: int,
) -> list[int]:
    """Return the features chosen by FCQ, with every correlation computed anew."""
    relevances = f_classif(features, labels)[0]
    chosen = [int(np.argmax(relevances))]
    while len(chosen) < n_selected:
        quotients = {}
        for feature in set(range(features.shape[1])) - set(chosen):
            column = features[:, feature]
            correlations = [abs(pearsonr(column, features[:, other])[0]) for other in chosen]
            quotients[feature] = relevances[feature] / np.mean(correlations)
        chosen.append(max(quotients, key=quotients.__getitem__))
    return chosen


def relieff_by_hand(
    features: NDArray[np.float64],  # (n_clips, n_features), none constant
    labels: NDArray[np.int64],
    n_neighbours: int,
) -> list[float]:
    """Return the weight of each feature, after the pseudocode of the paper of 2003, Figure 2."""
    n_clips, n_features = features.shape
    low, high = features.min(axis=0), features.max(axis=0)

    def diff(feature: int, one: int, other: int) -> float:
        distance = abs(features[one, feature] - features[other, feature])
        return float(distance / (high[feature] - low[feature]))

    def nearest(clip: int, label: int) -> list[int]:
        clips = [other for other in range(n_clips) if other != clip and labels[other] == label]
        clips.sort(key=lambda other: sum(diff(j, clip, other) for j in range(n_features)))
        return clips[:n_neighbours]

    prior = {int(label): float(np.mean(labels == label)) for label in labels}
    weights = [0.0] * n_features
    for clip in range(n_clips):
        own = int(labels[clip])
        for j in range(n_features):
            for label, share in prior.items():
                neighbours = nearest(clip, label)
                mean = sum(diff(j, clip, other) for other in neighbours) / max(len(neighbours), 1)
                factor = -1 if label == own else share / (1 - prior[own])
                weights[j] += factor * mean / n_clips
    return weights
