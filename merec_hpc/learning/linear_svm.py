"""Trains the linear SVM of paper 1 with LIBLINEAR and predicts with it."""

from dataclasses import dataclass

import numpy as np
from liblinear.liblinearutil import parameter, problem, train
from numpy.typing import NDArray

from merec_hpc.learning.bias import bias_feature, mean_squares

# -s 2: the problem of paper 1's -s 1 (L2-regularised L2-loss), solved in the primal, since the
# dual solver visits clips in an order that depends on what it solved before.
# LIBLINEAR's default eps leaves decisions unsettled, this one does not.
_OPTIONS = "-s 2 -e 1e-8 -q"


@dataclass(frozen=True)
class LinearSvm:
    """One-vs-rest weights of a trained SVM."""

    weights: NDArray[np.float64]  # (n_classes, n_features)
    intercepts: NDArray[np.float64]  # (n_classes,), 0 without a bias
    classes: NDArray[np.int64]  # (n_classes,), ascending

    def decisions(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the decision values of clips, shape (n_clips, n_classes)."""
        values: NDArray[np.float64] = features @ self.weights.T + self.intercepts
        return values

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the class of the largest decision value, shape (n_clips,)."""
        predicted: NDArray[np.int64] = self.classes[self.decisions(features).argmax(axis=1)]
        return predicted


def train_svm(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    C: float,
    bias: float = 0.0,
) -> LinearSvm:
    """Train an L2-regularised L2-loss linear SVM, one-vs-rest.

    Parameters
    ----------
    features
        Shape (n_clips, n_features).
    labels
        Shape (n_clips,), at least two classes.
    C
        Penalty, above 0.
    bias
        Of a regularised intercept, at least 0, in units of the root of the clips' mean squared
        length (see ``learning.bias``); 0 for none.

    Raises
    ------
    ValueError
        If all clips are of one class, or the bias is negative or not finite.

    References
    ----------
    Fan et al.: LIBLINEAR, JMLR 9, 2008.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        msg = f"at least two classes expected, found {len(classes)}"
        raise ValueError(msg)
    if not 0 <= bias < np.inf:
        msg = f"a bias of at least 0 expected, found {bias}"
        raise ValueError(msg)
    values = np.ascontiguousarray(features, np.float64)
    everything = np.ones(values.shape[1], np.bool_)
    constant = bias_feature(mean_squares(values), everything, bias) if bias else 0.0
    trained = train(
        problem(labels.astype(np.float64), values),
        parameter(f"{_OPTIONS} -B {constant or -1!r} -c {float(C)!r}"),
    )
    order = np.argsort(np.array(trained.get_labels()))
    # Of two classes one machine, positive for the label that LIBLINEAR met first.
    n_machines = 1 if len(classes) == 2 else len(classes)
    weights, intercepts = np.zeros((n_machines, features.shape[1])), np.zeros(n_machines)
    for machine, row in enumerate(weights):
        found, intercepts[machine] = trained.get_decfun(machine)
        row[: len(found)] = found[: len(row)]  # it knows nothing of last features that are all 0
    if n_machines == 1:
        weights = np.concatenate([weights, -weights])
        intercepts = np.concatenate([intercepts, -intercepts])
    return LinearSvm(weights[order], intercepts[order], classes)
