"""Who is left out when, and the one-vs-rest machines of each inner fold."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class InnerFolds:
    """Training clips sorted by inner fold: the clips of a fold stand together."""

    classes: NDArray[np.generic]  # (n_classes,), as given, sorted
    subjects: NDArray[np.generic]  # (n_subjects,), as given, sorted
    order: NDArray[np.int64]  # (n_clips,), the given place of each sorted clip
    labels: NDArray[np.int64]  # (n_clips,), index into classes
    folds: NDArray[np.int64]  # (n_clips,), from 0, ascending
    owners: NDArray[np.int64]  # (n_clips,), index into subjects

    @classmethod
    def of(cls, labels: ArrayLike, subjects: ArrayLike, n_folds: int | None) -> Self:
        """Leave out one subject at a time, in sorted order, or ``n_folds`` groups of subjects.

        Raises
        ------
        ValueError
            If there is one subject or one class, or there are fewer subjects than folds.
        """
        classes, numbers = np.unique(np.asarray(labels), return_inverse=True)
        names, owners = np.unique(np.asarray(subjects), return_inverse=True)
        for what, found in (("subjects", names), ("classes", classes)):
            if len(found) < 2:
                msg = f"at least two {what} expected, found {len(found)}"
                raise ValueError(msg)
        folds = owners
        if n_folds is not None:
            if not 2 <= n_folds <= len(names):
                msg = f"2 to {len(names)} inner folds (the subjects) expected, found {n_folds}"
                raise ValueError(msg)
            from sklearn.model_selection import GroupKFold  # noqa: PLC0415  # takes a second

            folds = np.empty_like(owners)
            splits = GroupKFold(n_folds).split(owners, groups=owners)
            for fold, (_, held_out) in enumerate(splits):
                folds[held_out] = fold
        order = np.argsort(folds, kind="stable")
        return cls(classes, names, order, numbers[order], folds[order], owners[order])

    def regrouped(self, fold_of: NDArray[np.int64]) -> Self:
        """Return the same clips in other folds, given the fold of each subject, (n_subjects,)."""
        given = np.argsort(self.order)  # place of each given clip
        folds = fold_of[self.owners[given]]
        order = np.argsort(folds, kind="stable")
        places = given[order]
        return replace(
            self,
            order=order,
            labels=self.labels[places],
            folds=folds[order],
            owners=self.owners[places],
        )

    @property
    def fold_of_subjects(self) -> NDArray[np.int64]:
        """The fold of each subject, (n_subjects,)."""
        fold_of = np.empty(len(self.subjects), np.int64)
        fold_of[self.owners] = self.folds
        return fold_of

    @property
    def n_folds(self) -> int:
        """Number of inner folds."""
        return int(self.folds[-1]) + 1

    @property
    def edges(self) -> NDArray[np.int64]:
        """First clip of each fold, then the number of clips, (n_folds + 1,)."""
        return np.searchsorted(self.folds, np.arange(self.n_folds + 1))

    @property
    def targets(self) -> NDArray[np.float64]:
        """+1 for the clips of a machine's class and -1 for the rest, (n_machines, n_clips).

        Two classes are one machine: the other's decisions are its negative.
        """
        signs = np.where(np.arange(len(self.classes))[:, None] == self.labels, 1.0, -1.0)
        return signs[:1] if len(self.classes) == 2 else signs

    @property
    def is_trained(self) -> NDArray[np.bool_]:
        """Whether a class has a clip outside the clip's own fold, (n_clips, n_classes)."""
        counts = np.zeros((self.n_folds, len(self.classes)), np.int64)
        np.add.at(counts, (self.folds, self.labels), 1)
        return np.take(counts.sum(axis=0) > counts, self.folds, axis=0)

    def balanced_weights(self, training: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the weight of C of each clip in each machine, (n_machines, n_clips).

        With n training clips of m classes, class k weighs n / (m n_k), see ``machine_weights``.

        Parameters
        ----------
        training
            The clips that are trained on, shape (n_clips,).
        """
        counts = np.bincount(self.labels[training], minlength=len(self.classes))
        by_class = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return self.machine_weights(by_class, training)

    def machine_weights(
        self, by_class: NDArray[np.float64], training: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return the weight of C of each clip in each machine, (n_machines, n_clips).

        The weight of a class is that of the positive clips of its machine, as LIBLINEAR's
        ``-wk`` does it, and of two classes that of both.

        Parameters
        ----------
        by_class
            Weight of each class, shape (n_classes,).
        training
            The clips that are trained on, shape (n_clips,).
        """
        n_present = len(np.unique(self.labels[training]))
        weights = np.tile(by_class[self.labels], (len(self.targets), 1))
        return weights if n_present == 2 else np.where(self.targets > 0, weights, 1.0)
