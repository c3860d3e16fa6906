"""What selectors that go step by step leave behind: the same record as a genetic search."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import History, Masks, Population, Selection
from merec_hpc.selection.fitness.genome import genome_of, n_selected
from merec_hpc.selection.fitness.inner_fitness import InnerFitness
from merec_hpc.selection.watching import Watcher

HALL_SIZE = 10


@dataclass
class Steps:
    """Masks that a search has stood at, one after the other."""

    fitness: InnerFitness
    masks: list[NDArray[np.bool_]] = field(default_factory=list)
    C: list[float] = field(default_factory=list)
    bias: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)
    on_step: Watcher | None = None
    """Called after every step; if it returns true, the search is over."""
    is_over: bool = field(default=False, init=False)
    _accuracies: dict[int, float] = field(default_factory=dict, init=False)
    """On training clips, of steps that were the best."""

    def add(
        self, mask: NDArray[np.bool_], C: float, bias: float, score: float, mean: float
    ) -> None:
        """Record a step: its mask, C and bias, their score, and the mean score of what was tried."""
        self.masks.append(mask.copy())
        self.C.append(C)
        self.bias.append(bias)
        self.scores.append(score)
        self.means.append(mean)
        if self.on_step is not None:
            self.is_over = self.on_step(self.history())

    def history(self) -> History:
        """Return the steps so far, with the best of each."""
        every = self._everything()
        scores = every.fitness
        best = np.maximum.accumulate(scores)
        leaders = [
            int(np.flatnonzero(scores[: step + 1] == best[step])[0]) for step in range(len(scores))
        ]
        unknown = sorted(set(leaders) - self._accuracies.keys())
        new = every.take(np.array(unknown, np.int64))
        accuracies = self.fitness.training_accuracies(new.masks, new.C, new.bias)
        self._accuracies |= zip(unknown, accuracies.tolist(), strict=True)
        sizes = n_selected(genome_of(self.fitness), every.masks)
        return History(
            best_fitness=best,
            training_accuracy=np.array([self._accuracies[leader] for leader in leaders]),
            mean_fitness=np.array(self.means),
            min_selected=sizes,
            max_selected=sizes,
            best_masks=every.masks[leaders],
            best_C=every.C[leaders],
            best_bias=every.bias[leaders],
        )

    def _everything(self) -> Population:
        """Return all steps so far."""
        scores = np.array(self.scores)
        return Population(np.stack(self.masks), np.array(self.C), np.array(self.bias), scores)

    def selection(self, *, prefers_last: bool = False) -> Selection:
        """Return the step of the best score, of equals the first (or the last), and all steps."""
        everything = self._everything()
        masks, scores = everything.masks, everything.fitness
        chosen = int(scores.argmax())
        if prefers_last:
            chosen = len(scores) - 1 - int(scores[::-1].argmax())
        hall = everything.take(np.argsort(-scores, kind="stable")[:HALL_SIZE])
        return Selection(
            mask=masks[chosen],
            C=self.C[chosen],
            bias=self.bias[chosen],
            fitness=float(scores[chosen]),
            generation=chosen,
            history=self.history(),
            hall_of_fame=hall,
            last=everything.take(np.array([len(scores) - 1])),
        )


def best_of(fitness: InnerFitness, drawn: Population, hall_size: int) -> Selection:
    """Return the best of masks that were scored at once, of equals the first: a history of one."""
    hall = drawn.take(np.argsort(-drawn.fitness, kind="stable")[:hall_size])
    champion = hall.take(np.array([0]))
    return Selection(
        mask=champion.masks[0],
        C=float(champion.C[0]),
        bias=float(champion.bias[0]),
        fitness=float(champion.fitness[0]),
        generation=0,
        history=history_of_one(fitness, champion, drawn),
        hall_of_fame=hall,
        last=drawn,
    )


class _Judge(Protocol):
    """What knows how well masks fit the clips that are trained on."""

    def training_accuracies(
        self, masks: Masks, C: NDArray[np.float64], bias: NDArray[np.float64], /
    ) -> NDArray[np.float64]: ...


def history_of_one(fitness: _Judge, leader: Population, scored: Population) -> History:
    """Return the history of masks that were scored at once, led by one individual."""
    sizes = n_selected(genome_of(fitness), scored.masks)
    return History(
        best_fitness=leader.fitness,
        training_accuracy=fitness.training_accuracies(leader.masks, leader.C, leader.bias),
        mean_fitness=scored.fitness.mean(keepdims=True),
        min_selected=sizes.min(keepdims=True),
        max_selected=sizes.max(keepdims=True),
        best_masks=leader.masks,
        best_C=leader.C,
        best_bias=leader.bias,
    )
