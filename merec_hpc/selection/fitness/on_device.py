"""Scores many masks at once on a GPU, with the predictions of ``SubjectFoldFitness``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from merec_hpc.config.selection import Criterion
from merec_hpc.criteria import OF_DECISIONS, fold_accuracies
from merec_hpc.errors import MerecError
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.fitness.inner_problem import InnerProblem
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness

if TYPE_CHECKING:
    import torch

    from merec_hpc.selection.fitness.batched_folds import BatchedFolds

_ROOM = 2**27  # numbers, on the CPU: 1 GiB
_SHARE = 0.15  # of a GPU's free memory, for each of a few large arrays
_N_ARRAYS = 12  # of all machines and clips, at a time


class DeviceFitness:
    """``SubjectFoldFitness`` by batches, on a device of torch.

    All machines of a batch of individuals are solved at once, in double precision, each decision
    with a bound of its error. Individuals for whom that does not tell two classes apart, or whose
    machines do not settle, are handed over to the fitness itself, so that predictions are its own
    on every device and in every batch.

    Scaling "none" keeps features and their products on the device; with "standard" they are
    copied there anew for every call.
    """

    def __init__(
        self, fitness: SubjectFoldFitness, device: str = "cuda", batch_size: int | None = None
    ) -> None:
        """Take the fitness whose predictions are made.

        Parameters
        ----------
        device
            "cpu", "cuda" or "cuda:1" and so on; double precision must be fast there.
        batch_size
            Individuals at once; without it as many as fit in a share of the free memory.

        Raises
        ------
        MerecError
            If there is no such device.
        """
        if batch_size is not None and batch_size < 1:
            msg = f"a batch of at least one individual expected, found {batch_size}"
            raise ValueError(msg)
        self.n_handed_over = 0
        """Individuals that the fitness itself predicted, in the latest call."""
        self._fitness = fitness
        from merec_hpc.networks.devices import opened_device  # noqa: PLC0415  # torch takes a second

        self._device = opened_device(device)
        self._room = _find_room(self._device)
        self._batch_size = batch_size or self._choose_batch_size()
        self._kept: BatchedFolds | None = None

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return self._fitness.n_features

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the fitness by a named criterion, in [0, 1], shape (n_individuals,).

        Criteria of decisions are for the fitness itself to say.
        """
        if criterion in OF_DECISIONS:
            return self._fitness.score(masks, C, criterion, bias)
        return self._fitness.judge(self._predict(masks, C, bias), criterion)

    def fold_accuracies(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on each left-out fold, shape (n_individuals, n_folds)."""
        folds = self._fitness.folds
        return fold_accuracies(self._predict(masks, C, bias), folds.labels, folds.folds)

    def training_accuracies(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Return the accuracy on the clips that are trained on, shape (n_individuals,)."""
        return self._fitness.training_accuracies(masks, C, bias)

    def predictions(
        self, masks: Masks, C: ArrayLike, bias: ArrayLike | None = None
    ) -> NDArray[np.int64]:
        """Return the class of every clip by the SVM that never saw its subject.

        Parameters
        ----------
        masks
            Shape (n_individuals, n_features).
        C
            Penalty of each individual, shape (n_individuals,).
        bias
            Of each individual, shape (n_individuals,), 0 for none; without it none has one.

        Returns
        -------
        NDArray[np.int64]
            Shape (n_individuals, n_clips), an index into the classes; -1 for an empty mask.
        """
        folds = self._fitness.folds
        predicted = np.empty((len(masks), len(folds.order)), np.int64)
        predicted[:, folds.order] = self._predict(masks, C, bias)
        return predicted

    def _predict(self, masks: Masks, C: ArrayLike, bias: ArrayLike | None) -> NDArray[np.int64]:
        """Return predicted classes with the clips in the order of the folds."""
        masks, penalties, biases = self._fitness._check(masks, C, bias)
        predicted = np.full((len(masks), len(self._fitness.folds.order)), -1)
        wanted = np.flatnonzero(masks.any(axis=1))
        predicted[wanted], is_certain = self._predict_on_device(
            masks[wanted], penalties[wanted], biases[wanted]
        )
        left = wanted[~is_certain]
        self.n_handed_over = len(left)
        predicted[left] = self._fitness._predict(masks[left], penalties[left], biases[left])
        return predicted

    def _predict_on_device(
        self, masks: Masks, penalties: NDArray[np.float64], biases: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return predicted classes, and of which individuals they are certain."""
        import torch  # noqa: PLC0415  # takes a second

        from merec_hpc.selection.fitness.batched_folds import predict  # noqa: PLC0415

        shape = (len(masks), *self._fitness.folds.targets.shape)
        with torch.inference_mode():
            decisions = torch.zeros(shape, dtype=torch.float64, device=self._device)
            errors = torch.zeros_like(decisions)
            for folds in self._batched_folds():
                for first in range(0, len(masks), self._batch_size):
                    part = slice(first, first + self._batch_size)
                    inputs = (masks[part], penalties[part], biases[part])
                    folds.decide(*inputs, decisions[part], errors[part])
            is_trained = torch.from_numpy(self._fitness.folds.is_trained).to(self._device)
            predicted, is_certain = predict(decisions, errors, is_trained)
        return predicted.cpu().numpy(), is_certain.cpu().numpy()

    def _batched_folds(self) -> Iterator["BatchedFolds"]:
        """Yield all folds that see the features alike, on the device."""
        if self._kept is not None:
            yield self._kept
            return
        for problem in self._fitness._problems():
            moved = self._move(problem)
            if self._fitness._unscaled is not None:
                self._kept = moved
            yield moved

    def _move(self, problem: InnerProblem) -> "BatchedFolds":
        from merec_hpc.selection.fitness.batched_folds import BatchedFolds  # noqa: PLC0415

        return BatchedFolds.on(
            self._device,
            problem.chosen(np.arange(self.n_features)),
            problem.squares,
            self._fitness.folds.targets,
            problem.systems,
            self._room,
        )

    def _choose_batch_size(self) -> int:
        """Return how many individuals fit in the room."""
        folds = self._fitness.folds
        n_machines, n_clips = folds.targets.shape
        numbers = n_clips * (_N_ARRAYS * n_machines * folds.n_folds + 4 * n_clips)
        return max(self._room // int(numbers + self.n_features), 1)


def moved(fitness: InnerFitness, device: str) -> DeviceFitness:
    """Return a fitness on a device.

    Raises
    ------
    MerecError
        As ``DeviceFitness``, or if it is of several groupings or has a penalty.
    """
    if not isinstance(fitness, SubjectFoldFitness):
        msg = "--device: inner.n_groupings 1 and inner.departure_penalty 0 expected, found others"
        raise MerecError(msg)
    return DeviceFitness(fitness, device)


def _find_room(device: "torch.device") -> int:
    """Return how many numbers a large array may take."""
    if device.type == "cpu":
        return _ROOM
    import torch  # noqa: PLC0415  # takes a second

    free, _ = torch.cuda.mem_get_info(device)
    return int(_SHARE * free) // 8
