"""What selectors that go step by step leave behind: the same record as a genetic search."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from merec_hpc.records import History, Population, Selection
from merec_hpc.selection.fitness.grouped import InnerFitness

HALL_SIZE = 10


@dataclass
class Steps:
    """Masks that a search has stood at, one after the other."""

    fitness: InnerFitness
    masks: list[NDArray[np.bool_]] = field(default_factory=list)
    C: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)

    def add(self, mask: NDArray[np.bool_], C: float, score: float, mean: float) -> None:
        """Record a step: its mask and C, their score, and the mean score of what was tried."""
        self.masks.append(mask.copy())
        self.C.append(C)
        self.scores.append(score)
        self.means.append(mean)

    def selection(self, *, prefers_last: bool = False) -> Selection:
        """Return the step of the best score, of equals the first (or the last), and all steps."""
        masks, C, scores = np.stack(self.masks), np.array(self.C), np.array(self.scores)
        chosen = int(scores.argmax())
        if prefers_last:
            chosen = len(scores) - 1 - int(scores[::-1].argmax())
        best = np.maximum.accumulate(scores)
        leaders = [
            int(np.flatnonzero(scores[: step + 1] == best[step])[0]) for step in range(len(scores))
        ]
        distinct, places = np.unique(leaders, return_inverse=True)
        accuracies = self.fitness.training_accuracies(masks[distinct], C[distinct])
        sizes = masks.sum(axis=1)
        history = History(
            best_fitness=best,
            training_accuracy=accuracies[places],
            mean_fitness=np.array(self.means),
            min_selected=sizes,
            max_selected=sizes,
            best_masks=masks[leaders],
            best_C=C[leaders],
        )
        everything = Population(masks, C, scores)
        hall = everything.take(np.argsort(-scores, kind="stable")[:HALL_SIZE])
        return Selection(
            mask=masks[chosen],
            C=float(C[chosen]),
            fitness=float(scores[chosen]),
            generation=chosen,
            history=history,
            hall_of_fame=hall,
            last=everything.take(np.array([len(scores) - 1])),
        )


def best_of(fitness: InnerFitness, drawn: Population, hall_size: int) -> Selection:
    """Return the best of masks that were scored at once, of equals the first: a history of one."""
    hall = drawn.take(np.argsort(-drawn.fitness, kind="stable")[:hall_size])
    champion, sizes = hall.take(np.array([0])), drawn.masks.sum(axis=1)
    history = History(
        best_fitness=champion.fitness,
        training_accuracy=fitness.training_accuracies(champion.masks, champion.C),
        mean_fitness=drawn.fitness.mean(keepdims=True),
        min_selected=sizes.min(keepdims=True),
        max_selected=sizes.max(keepdims=True),
        best_masks=champion.masks,
        best_C=champion.C,
    )
    return Selection(
        mask=champion.masks[0],
        C=float(champion.C[0]),
        fitness=float(champion.fitness[0]),
        generation=0,
        history=history,
        hall_of_fame=hall,
        last=drawn,
    )
