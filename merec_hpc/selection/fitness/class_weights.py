"""Scores masks by SVMs that weigh C by given weights of classes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.base import nearest
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


class ClassWeightFitness(SubjectFoldFitness):
    """Leave-one-subject-out accuracy of masks, C multiplied by a weight of each class.

    As LIBLINEAR's ``-wk``: of more than two classes the positive clips of a class's machine are
    weighted, of two classes both. The same weights hold in every inner fold.
    """

    def __init__(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        subjects: ArrayLike,
        *,
        class_weight: Mapping[Any, float],
        **options: Any,
    ) -> None:
        """Take the training clips of one fold.

        Parameters
        ----------
        features, labels, subjects, options
            Those of ``SubjectFoldFitness``.
        class_weight
            Weight of each class, above 0; a class that is not named weighs 1.

        Raises
        ------
        ValueError
            As ``SubjectFoldFitness`` and ``weights_by_class`` do.
        """
        self._by_class = weights_by_class(np.unique(np.asarray(labels)), class_weight)
        super().__init__(features, labels, subjects, class_weight="balanced", **options)

    def _weights(self, training: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the weight of C of each clip in each machine, (n_machines, n_clips)."""
        return self._folds.machine_weights(self._by_class, training)


def weights_by_class(
    classes: NDArray[Any], class_weight: Mapping[Any, float]
) -> NDArray[np.float64]:
    """Return the weight of each class, 1 for those that are not named, (n_classes,).

    Raises
    ------
    ValueError
        If a weight is not a number above 0, or a name is that of no class while some class has
        no weight: a misspelt one. If all have one, others may be named: of a cross-validation
        not all folds hold all classes.
    """
    for name, weight in class_weight.items():
        if not (_is_number(weight) and 0 < weight < np.inf):
            msg = f"class_weight: a number above 0 for class {name!r} expected, found {weight!r}"
            raise ValueError(msg)
    known = classes.tolist()
    unknown = [name for name in class_weight if name not in known]
    if unknown and not all(one in class_weight for one in known):
        listed = ", ".join(map(repr, known))
        close = nearest(str(unknown[0]), map(str, known))
        msg = f"class_weight: classes of {listed} expected, found {unknown[0]!r}{close}"
        raise ValueError(msg)
    return np.array([class_weight.get(one, 1.0) for one in known], np.float64)


def _is_number(weight: object) -> bool:
    return isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
