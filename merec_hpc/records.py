"""What travels between the stages: frozen dataclasses of arrays, shapes in comments."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.evaluation import TRANSDUCTIVE

TILE_PX = 160
"""Side of a picture on a contact sheet."""

Text = NDArray[np.str_]
Masks = NDArray[np.bool_]  # (n_individuals, n_features)


class Frames(Protocol):
    """Frames in memory or in a file."""

    def __len__(self) -> int:
        """Return their number."""
        ...

    def __getitem__(self, place: int, /) -> NDArray[np.uint8]:
        """Return a frame, (size, size, 3), RGB."""
        ...


@dataclass(frozen=True)
class Failure:
    """A clip that was left out, and why."""

    clip: str
    subject: str
    stage: str
    reason: str


@dataclass(frozen=True)
class FeaturePart:
    """Features of the clips of one subject."""

    values: NDArray[np.float32]  # (n_clips, n_features)
    names: Text  # (n_features,)
    clips: Text  # (n_clips,)


@dataclass(frozen=True)
class Features:
    """Features of clips, with what is known of each clip."""

    values: NDArray[np.float32]  # (n_clips, n_features)
    labels: NDArray[np.int64]  # (n_clips,), index into class_names
    subjects: Text  # (n_clips,)
    clips: Text  # (n_clips,)
    names: Text  # (n_features,)
    class_names: Text  # (n_classes,)
    folds: Text | None = None
    """Fold that holds each clip out, (n_clips,), empty for none; without it each subject's own."""
    weights: NDArray[np.float64] | None = None
    """What each scaled feature is multiplied by, (n_features,): of blocks side by side."""
    blocks: Text | None = None
    """Block of each feature, (n_features,), where several stand side by side."""

    @property
    def is_transductive(self) -> bool:
        """Whether some features of a clip read other clips of its subject, as their names say."""
        return any(TRANSDUCTIVE in str(name) for name in self.names)

    @property
    def held_out_by(self) -> Text:
        """The fold that holds each clip out, shape (n_clips,)."""
        return self.subjects if self.folds is None else self.folds

    def without(self, fold: str) -> Self:
        """Return the clips that a fold does not hold out: what a selector may see."""
        return self._keep(self.held_out_by != fold)

    def only(self, fold: str) -> Self:
        """Return the clips that a fold holds out."""
        return self._keep(self.held_out_by == fold)

    def with_features(self, mask: NDArray[np.bool_]) -> Self:
        """Return the clips with the features of a mask alone, in their order."""
        return replace(
            self,
            values=self.values[:, mask],
            names=self.names[mask],
            weights=None if self.weights is None else self.weights[mask],
            blocks=None if self.blocks is None else self.blocks[mask],
        )

    def _keep(self, kept: NDArray[np.bool_]) -> Self:
        return replace(
            self,
            values=self.values[kept],
            labels=self.labels[kept],
            subjects=self.subjects[kept],
            clips=self.clips[kept],
            folds=None if self.folds is None else self.folds[kept],
        )


@dataclass(frozen=True)
class Images:
    """Images that a network is trained on or predicts, with what is known of each."""

    pixels: NDArray[np.uint8] | NDArray[np.float32]
    """Shape (n_images, h, w, 3): RGB, 0..255, or flow's u, v and strain."""
    labels: NDArray[np.int64]  # (n_images,), index into class_names
    subjects: Text  # (n_images,)
    names: Text  # (n_images,)
    class_names: Text  # (n_classes,)
    landmarks: NDArray[np.float32] | None = None
    """Shape (n_images, n_landmarks, 2), (x, y), pixels of the images."""

    def take(self, places: NDArray[np.int64]) -> Self:
        """Return the images at ``places``, in that order."""
        return replace(
            self,
            pixels=self.pixels[places],
            labels=self.labels[places],
            subjects=self.subjects[places],
            names=self.names[places],
            landmarks=None if self.landmarks is None else self.landmarks[places],
        )


@dataclass(frozen=True)
class Selection:
    """What a selector chose on the training subjects of one fold, and how it got there.

    A selector without generations has a history of length 1.
    """

    mask: NDArray[np.bool_]  # (n_features,), the chosen features
    C: float  # the chosen penalty
    bias: float  # the chosen bias, see LinearMachines; 0 for none
    fitness: float  # of the chosen mask on the inner folds
    generation: int  # the generation that was chosen
    history: "History"
    hall_of_fame: "Population"  # fittest first
    last: "Population"  # last population of all islands, island by island
    weights: NDArray[np.float64] | None = None
    """What each scaled feature is multiplied by, (n_features,), above 0 where the mask holds it,
    else 0; without them 1 there."""
    best_weights: NDArray[np.float64] | None = None
    """Those of ``history.best_masks``, (n_generations, n_features)."""
    rules: "DecidingRules | None" = None
    """Rules that decide in place of masks: all of them as an ensemble and, where the champion is a
    rule, the first of them alone."""
    front: "Population | None" = None
    """Of a search for fitness and few features: those that no other beats in both, fewest first; the
    last is the champion."""


@dataclass(frozen=True)
class DecidingRules:
    """Rules that decide together, the best first; see ``selection.rule``."""

    genes: NDArray[np.float64]  # (n_rules, 4): kappa, p, b and C
    losses: NDArray[np.float64]  # (n_rules,), class-balanced log loss of left-out decisions
    scales: NDArray[np.float64]  # (n_rules,), mean absolute left-out decision
    min_clips: int  # a subject with fewer clips keeps its mean
    is_champion: bool  # whether the first alone is the selection's champion
    is_transductive: bool  # whether any that was tried reads clips of whom is predicted

    def take(self, places: slice) -> Self:
        """Return some of the rules."""
        cut = self.genes[places], self.losses[places], self.scales[places]
        return replace(self, genes=cut[0], losses=cut[1], scales=cut[2])

    def joined(self, other: Self) -> Self:
        """Return these rules followed by the others."""
        return replace(
            self,
            genes=np.concatenate([self.genes, other.genes]),
            losses=np.concatenate([self.losses, other.losses]),
            scales=np.concatenate([self.scales, other.scales]),
        )


@dataclass(frozen=True)
class Population:
    """Individuals: a mask, a value of C and a bias each, with their fitness."""

    masks: Masks  # (n_individuals, n_features)
    C: NDArray[np.float64]  # (n_individuals,)
    bias: NDArray[np.float64]  # (n_individuals,), 0 for none
    fitness: NDArray[np.float64]  # (n_individuals,)
    weights: NDArray[np.float64] | None = None
    """What each scaled feature is multiplied by, (n_individuals, n_features), above 0 where the
    mask holds it, else 0; without them 1 there."""

    @property
    def factors(self) -> NDArray[np.float64]:
        """The weights, or of masks alone 1 and 0, (n_individuals, n_features)."""
        return self.masks.astype(np.float64) if self.weights is None else self.weights

    def take(self, rows: NDArray[np.int64]) -> "Population":
        """Return the individuals at ``rows``, in that order."""
        weights = None if self.weights is None else self.weights[rows]
        return Population(
            self.masks[rows], self.C[rows], self.bias[rows], self.fitness[rows], weights
        )

    def joined(self, other: "Population") -> "Population":
        """Return these individuals followed by the others."""
        is_weighted = self.weights is not None or other.weights is not None
        return Population(
            np.concatenate([self.masks, other.masks]),
            np.concatenate([self.C, other.C]),
            np.concatenate([self.bias, other.bias]),
            np.concatenate([self.fitness, other.fitness]),
            np.concatenate([self.factors, other.factors]) if is_weighted else None,
        )


@dataclass(frozen=True)
class PackedPopulation:
    """A population as it travels: eight bits of a mask in a byte."""

    bits: NDArray[np.uint8]  # (n_individuals, ceil(n_features / 8))
    n_features: int
    C: NDArray[np.float64]  # (n_individuals,)
    bias: NDArray[np.float64]  # (n_individuals,)
    fitness: NDArray[np.float64]  # (n_individuals,)

    @classmethod
    def of(cls, population: Population) -> Self:
        """Pack the masks of a population.

        Raises
        ------
        ValueError
            If it has weights: those of a search are bits of its masks.
        """
        if population.weights is not None:
            msg = "individuals without weights expected, found some with weights"
            raise ValueError(msg)
        bits = np.packbits(population.masks, axis=1)
        n_features = population.masks.shape[1]
        return cls(bits, n_features, population.C, population.bias, population.fitness)

    def unpacked(self) -> Population:
        """Return the population."""
        masks = np.unpackbits(self.bits, axis=1, count=self.n_features).astype(np.bool_)
        return Population(masks, self.C, self.bias, self.fitness)


@dataclass(frozen=True)
class History:
    """One row a generation, founders first."""

    best_fitness: NDArray[np.float64]  # (n_generations,), best of the hall of fame
    training_accuracy: NDArray[np.float64]  # (n_generations,), of that individual
    mean_fitness: NDArray[np.float64]  # (n_generations,), over the population
    min_selected: NDArray[np.int64]  # (n_generations,), fewest features of an individual
    max_selected: NDArray[np.int64]  # (n_generations,), most features of an individual
    best_masks: Masks  # (n_generations, n_features), of the best of the hall of fame
    best_C: NDArray[np.float64]  # (n_generations,)
    best_bias: NDArray[np.float64]  # (n_generations,)

    def joined(self, later: "History") -> "History":
        """Return these generations followed by the later ones."""
        columns = zip(vars(self).values(), vars(later).values(), strict=True)
        return History(*(np.concatenate(pair) for pair in columns))


@dataclass(frozen=True)
class SearchState:
    """All that a search needs to go on."""

    generation: int
    islands: list[Population]
    rng_states: list[dict[str, Any]]  # of each island's generator
    hall_of_fame: Population
    history: History


@dataclass(frozen=True)
class LinearMachines:
    """Linear SVMs: a class's decision value is its weights times the features, plus its intercept.

    An intercept comes of a feature that is the same for all clips, and is regularised with the
    others: LIBLINEAR's ``-B``. A bias b is that feature's value in units of the root of the mean
    squared length of the training clips, so that it means the same for every mask and scaling.
    """

    weights: NDArray[np.float64]  # (n_machines, n_classes, n_features)
    intercepts: NDArray[np.float64]  # (n_machines, n_classes), 0 without a bias

    def mean(self) -> Self:
        """Return the one machine whose decisions are the mean of all."""
        return replace(
            self,
            weights=self.weights.mean(axis=0, keepdims=True),
            intercepts=self.intercepts.mean(axis=0, keepdims=True),
        )


@dataclass(frozen=True)
class Predictor:
    """Linear machines on scaled features; several of them vote."""

    weights: NDArray[np.float64]  # (n_machines, n_classes, n_features)
    intercepts: NDArray[np.float64]  # (n_machines, n_classes)
    mean: NDArray[np.float64]  # (n_features,), subtracted from the features
    std: NDArray[np.float64]  # (n_features,), by which they are then divided
    masks: NDArray[np.bool_]  # (n_masks, n_features), of the individuals that decide
    C: NDArray[np.float64]  # (n_masks,)
    bias: NDArray[np.float64]  # (n_masks,)
    class_names: Text  # (n_classes,)
    feature_names: Text  # (n_features,)
