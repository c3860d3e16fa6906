"""How a selection becomes predictions: by its champion, a vote or an ensemble.

A selection holds more than its champion: the hall of fame, and the last population. Three
deciders turn it into predictions: the champion mask; a vote of the hall of fame; and the evolved
ensemble, the mean decision value of the better half of the last population, of all islands and,
given several selections, of all seeds. A mean of linear machines is one linear machine. Where a
selection holds rules (see ``selection.rule``), they decide in place of individuals.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import Decider
from merec_hpc.records import DecidingRules, LinearMachines, Population, Selection
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness


def deciding(selections: Sequence[Selection], decider: Decider) -> Population:
    """Return the individuals by which a decider predicts."""
    if decider == "ensemble":
        halves = [_better_half(selection.last) for selection in selections]
        together = halves[0]
        for half in halves[1:]:
            together = together.joined(half)
        return together
    if len(selections) != 1:
        msg = f"one selection expected for {decider}, found {len(selections)}"
        raise ValueError(msg)
    (selection,) = selections
    if decider == "hall_of_fame":
        return selection.hall_of_fame
    return Population(
        selection.mask[None],
        np.array([selection.C]),
        np.array([selection.bias]),
        np.array([selection.fitness]),
        None if selection.weights is None else selection.weights[None],
    )


def deciding_rules(selections: Sequence[Selection], decider: Decider) -> DecidingRules | None:
    """Return the rules by which a decider predicts; ``None`` where individuals do.

    Raises
    ------
    ValueError
        If a vote is asked of rules, or a champion of several selections.
    """
    found = [selection.rules for selection in selections if selection.rules is not None]
    if not found or (decider != "ensemble" and not found[0].is_champion):
        return None
    if decider == "hall_of_fame":
        msg = "a champion or an ensemble of rules expected, found a vote"
        raise ValueError(msg)
    if decider == "champion":
        if len(found) != 1:
            msg = f"one selection expected for {decider}, found {len(found)}"
            raise ValueError(msg)
        return found[0].take(slice(1))
    together = found[0]
    for rules in found[1:]:
        together = together.joined(rules)
    return together


def trained(
    fitness: SubjectFoldFitness, individuals: Population, decider: Decider
) -> LinearMachines:
    """Return the machines that decide, trained on all clips.

    Of an ensemble one machine, the mean of all; of a vote one for each individual.
    """
    machines = fitness.machines(
        individuals.masks, individuals.C, individuals.bias, individuals.weights
    )
    return machines if decider == "hall_of_fame" else machines.mean()


def decide(machines: LinearMachines, scaled: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return what speaks for each class, (n_clips, n_classes).

    Decision values of one machine, or of several the shares of their votes.
    """
    of_machines = np.einsum("nf,mcf->mnc", scaled, machines.weights)
    of_machines += machines.intercepts[:, None]
    if len(of_machines) == 1:
        return np.asarray(of_machines[0], np.float64)
    votes = np.eye(of_machines.shape[2])[of_machines.argmax(axis=2)]
    return np.asarray(votes.mean(axis=0), np.float64)


def _better_half(population: Population) -> Population:
    order = np.argsort(-population.fitness, kind="stable")
    return population.take(order[: -(-len(order) // 2)])
