"""The SVMs of other inner folds, from features that are kept once."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import Masks
from merec_hpc.selection.fitness.inner_problem import Gram, InnerProblem, System


class ReorderedProblem(InnerProblem):
    """A problem of the same clips in another order, as its folds need it.

    Features stay with the first problem; Gram matrices are computed there and reordered.
    """

    def __init__(
        self,
        first: InnerProblem,
        rows: NDArray[np.int64],
        targets: NDArray[np.float64],
        systems: Sequence[System],
    ) -> None:
        """Take the first problem's place of each clip, (n_clips,), and targets and folds by them."""
        self._first, self._rows = first, rows
        self._targets, self._systems = targets, systems
        self._is_wide = first.is_wide

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Return some features of the clips, (n_clips, n_chosen)."""
        return self._first.chosen(which)[self._rows]

    @property
    def squares(self) -> NDArray[np.float64]:
        """Mean square of each feature: the first problem's."""
        return self._first.squares

    @property
    def precision(self) -> float:
        """Of an entry of what ``grams`` yields: as the first problem's."""
        return self._first.precision

    @property
    def sums_grams(self) -> bool:
        """Whether Gram matrices in double precision cost no pass over the features."""
        return self._first.sums_grams

    def double_gram(self, mask: NDArray[np.bool_], constant: float) -> NDArray[np.float64]:
        """Return the Gram matrix of a mask in double precision, with one constant feature more."""
        if not self.sums_grams:
            return super().double_gram(mask, constant)
        return self._first.double_gram(mask, constant)[np.ix_(self._rows, self._rows)]

    def constant(self, mask: NDArray[np.bool_], bias: float) -> float:
        """Return the feature that a bias gives every clip under a mask: the first problem's."""
        return self._first.constant(mask, bias)

    def grams(self, masks: Masks) -> Iterator[Gram]:
        """Yield a Gram matrix of each mask, as the first problem's; all of it."""
        if not (self._is_wide or self.sums_grams):
            yield from super().grams(masks)
            return
        for gram in self._first.grams(masks):
            upper = np.triu(gram.matrix[: len(self._rows), : len(self._rows)])
            matrix = (upper + np.triu(upper, 1).T)[np.ix_(self._rows, self._rows)]
            yield Gram(matrix, gram.shifts[self._rows], gram.is_quick)
