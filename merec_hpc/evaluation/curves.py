"""What a search did, generation by generation: the data of paper 1's Figures 4 and 6."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.scaling import ScalingSettings
from merec_hpc.evaluation.held_out import predict_held_out
from merec_hpc.records import Features, Masks, Population, Selection


@dataclass(frozen=True)
class GenerationRow:
    """One generation; a derivative is the change since the one before, empty for the founders."""

    generation: int
    chosen: int
    """1 for the generation that the rule of paper 1 (IV.C.3) chose."""
    best_fitness: float
    best_fitness_derivative: float | None
    training_accuracy: float
    training_accuracy_derivative: float | None
    test_accuracy: float | None
    """Of the best so far, on the held-out subject: for figures only, nothing else reads it."""
    test_accuracy_derivative: float | None
    mean_fitness: float
    min_selected: int
    max_selected: int
    n_selected: int
    C: float
    bias: float
    """0 for none."""


@dataclass(frozen=True)
class FeatureRow:
    """One feature of a selection."""

    index: int
    name: str
    selected: int
    """1 if the mask has it."""
    share: float
    """Of the hall of fame that has it."""
    weight: float
    """What the scaled feature is multiplied by, 0 outside of the mask; 1 if nothing is weighted."""


@dataclass(frozen=True)
class FrontRow:
    """One individual of a front."""

    n_selected: int
    fitness: float
    C: float
    bias: float
    """0 for none."""
    test_accuracy: float | None
    """On the held-out subject: for figures only, nothing else reads it."""
    chosen: int
    """1 for the champion."""


def describe_generations(
    selection: Selection, features: Features, fold: str | None, scaling: ScalingSettings
) -> list[GenerationRow]:
    """Return one row a generation, founders first.

    Parameters
    ----------
    fold
        The held-out one; with ``None``, and of a rule, there is no test accuracy.
    """
    history = selection.history
    by_masks = selection.rules is None or not selection.rules.is_champion
    tested = None
    if fold is not None and by_masks:
        best = history.best_masks, history.best_C, history.best_bias, selection.best_weights
        tested = _test_accuracies(*best, features, fold, scaling)
    return [
        GenerationRow(
            generation=generation,
            chosen=int(generation == selection.generation),
            best_fitness=float(history.best_fitness[generation]),
            best_fitness_derivative=_derivative(history.best_fitness, generation),
            training_accuracy=float(history.training_accuracy[generation]),
            training_accuracy_derivative=_derivative(history.training_accuracy, generation),
            test_accuracy=None if tested is None else float(tested[generation]),
            test_accuracy_derivative=None if tested is None else _derivative(tested, generation),
            mean_fitness=float(history.mean_fitness[generation]),
            min_selected=int(history.min_selected[generation]),
            max_selected=int(history.max_selected[generation]),
            n_selected=int(history.best_masks[generation].sum()),
            C=float(history.best_C[generation]),
            bias=float(history.best_bias[generation]),
        )
        for generation in range(len(history.best_fitness))
    ]


def describe_features(selection: Selection, names: NDArray[np.str_]) -> list[FeatureRow]:
    """Return one row a feature."""
    shares = selection.hall_of_fame.masks.mean(axis=0)
    weights = selection.mask if selection.weights is None else selection.weights
    columns = zip(names, selection.mask, shares, weights, strict=True)
    return [
        FeatureRow(index, str(name), int(selected), float(share), float(weight))
        for index, (name, selected, share, weight) in enumerate(columns)
    ]


def describe_front(
    selection: Selection, features: Features, fold: str | None, scaling: ScalingSettings
) -> list[FrontRow]:
    """Return one row for each individual of the front, fewest features first.

    Parameters
    ----------
    fold
        The held-out one; with ``None`` there is no test accuracy.

    Raises
    ------
    ValueError
        If the selection has no front.
    """
    front = selection.front
    if front is None:
        msg = "a selection with a front expected, found one without"
        raise ValueError(msg)
    tested: list[float | None] = [None] * len(front.C)
    if fold is not None:
        masks = front.masks, front.C, front.bias, front.weights
        tested = list(_test_accuracies(*masks, features, fold, scaling).tolist())
    return [
        FrontRow(
            n_selected=int(mask.sum()),
            fitness=float(front.fitness[place]),
            C=float(front.C[place]),
            bias=float(front.bias[place]),
            test_accuracy=tested[place],
            chosen=int(_is_champion(selection, front, place)),
        )
        for place, mask in enumerate(front.masks)
    ]


def _is_champion(selection: Selection, front: Population, place: int) -> bool:
    same_svm = front.C[place] == selection.C and front.bias[place] == selection.bias
    return bool(same_svm) and np.array_equal(front.masks[place], selection.mask)


def _test_accuracies(
    masks: Masks,
    penalties: NDArray[np.float64],
    biases: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    features: Features,
    fold: str,
    scaling: ScalingSettings,
) -> NDArray[np.float64]:
    """Return the accuracy of each mask on the held-out subject, (n_masks,)."""
    labels = features.only(fold).labels
    of_each = [None] * len(masks) if weights is None else list(weights)
    known: dict[tuple[bytes, float, float], float] = {}
    accuracies = []
    for mask, C, bias, factors in zip(
        masks, penalties.tolist(), biases.tolist(), of_each, strict=True
    ):
        key = (mask if factors is None else factors).tobytes(), C, bias
        if key not in known:
            predicted = predict_held_out(
                features, fold, mask, C, scaling, bias=bias, weights=factors
            )
            known[key] = float((predicted == labels).mean())
        accuracies.append(known[key])
    return np.array(accuracies)


def _derivative(series: NDArray[np.float64], generation: int) -> float | None:
    return float(series[generation] - series[generation - 1]) if generation else None
