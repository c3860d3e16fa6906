"""Individuals per CPU second of other programs that select features, next to ours.

    pip install -e '.[benchmark]'
    python benchmarks/rivals.py

All of them search masks of the same clips for the same fitness, on one core, in one run: mean minus
variance of leave-one-subject-out accuracies of a linear SVM with C = 1. Rivals refit it with
scikit-learn, as one writes it; they run for a generation, ours for 20. What is divided is
evaluations by CPU seconds of the whole search, without imports and compilation.
"""

import random
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
import pygad
from deap import algorithms, base, creator, tools
from numpy.typing import ArrayLike, NDArray
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.core.selection import Selection
from pymoo.operators.crossover.ux import UniformCrossover
from pymoo.operators.mutation.bitflip import BitflipMutation
from pymoo.operators.sampling.rnd import BinaryRandomSampling
from pymoo.optimize import minimize
from pymoo.problems.functional import FunctionalProblem
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
from sklearn.svm import LinearSVC
from sklearn_genetic import GAFeatureSelectionCV
from synthetic import INDEPENDENT, make_clips

from merec_hpc.config.selection import Criterion, GeneticSettings
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.records import Masks
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.genetic.operators import spin_roulette

N_INDIVIDUALS, N_GENERATIONS_OF_RIVALS, N_GENERATIONS_OF_OURS = 50, 1, 20
CROSSOVER, MUTATION = 0.8, 0.05
N_COMPARED = 20


@dataclass
class Refits:
    """The fitness of a mask by scikit-learn, and how often it was asked for."""

    features: NDArray[np.float64]
    labels: NDArray[np.int64]
    subjects: NDArray[np.int64]
    n_evaluations: int = field(default=0, init=False)

    def __call__(self, mask: NDArray[np.bool_]) -> float:
        """Return mean minus population variance of the accuracies."""
        self.n_evaluations += 1
        accuracies = cross_val_score(
            make_machine(),
            self.features[:, mask],
            self.labels,
            groups=self.subjects,
            cv=LeaveOneGroupOut(),
        )
        return float(accuracies.mean() - accuracies.var())

    @property
    def n_features(self) -> int:
        """Number of features that a mask chooses from."""
        return int(self.features.shape[1])


class CountedFitness(SubjectFoldFitness):
    """Our fitness, and how many individuals it has scored."""

    n_evaluations = 0

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Count the individuals and return their fitness."""
        self.n_evaluations += len(masks)
        return super().score(masks, C, criterion, bias)


class CountedAccuracy:
    """A scorer of scikit-learn that counts the machines it scores."""

    n_machines = 0

    def __call__(self, machine: LinearSVC, X: NDArray[Any], y: NDArray[Any]) -> float:
        """Return the accuracy of a fitted machine."""
        self.n_machines += 1
        return float(machine.score(X, y))


class Roulette(Selection):  # type: ignore[misc]
    """The selection that pymoo lacks."""

    def _do(
        self,
        _problem: FunctionalProblem,
        pop: Any,
        n_select: int,
        n_parents: int,
        *,
        random_state: np.random.Generator,
        **_: Any,
    ) -> NDArray[np.int64]:
        drawn = spin_roulette(-pop.get("F")[:, 0], n_select * n_parents, random_state)
        return drawn.reshape(n_select, n_parents)


@dataclass(frozen=True)
class Run:
    """What a program did in a search."""

    program: str
    n_evaluations: int
    seconds: float

    @property
    def rate(self) -> float:
        """Evaluations per CPU second."""
        return self.n_evaluations / self.seconds


def make_machine() -> LinearSVC:
    """Return the linear SVM of all rivals: L2 loss, no intercept, C = 1, the default tol."""
    return LinearSVC(loss="squared_hinge", dual=True, fit_intercept=False, C=1.0, random_state=0)


def random_masks(n_masks: int, n_features: int) -> NDArray[np.bool_]:
    """Return random half masks."""
    return np.random.default_rng(0).random((n_masks, n_features)) < 0.5


def score_in_a_loop(refits: Refits) -> int:
    """Score random masks, as many as a population and its children, without a search."""
    n_masks = N_INDIVIDUALS * (1 + N_GENERATIONS_OF_RIVALS)
    for mask in random_masks(n_masks, refits.n_features):
        refits(mask)
    return refits.n_evaluations


def search_with_deap(refits: Refits) -> int:
    """Search with DEAP's simplest algorithm on lists of bits, as its tutorials do."""
    random.seed(0)
    creator.create("Score", base.Fitness, weights=(1.0,))
    creator.create("Mask", list, fitness=creator.Score)
    toolbox = base.Toolbox()
    toolbox.register("draw", random.randint, 0, 1)
    toolbox.register("mask", tools.initRepeat, creator.Mask, toolbox.draw, refits.n_features)
    toolbox.register("evaluate", lambda mask: (refits(np.array(mask, np.bool_)),))
    toolbox.register("select", tools.selRoulette)
    toolbox.register("mate", tools.cxUniform, indpb=0.5)
    toolbox.register("mutate", tools.mutFlipBit, indpb=MUTATION)
    population = [toolbox.mask() for _ in range(N_INDIVIDUALS)]
    generations = N_GENERATIONS_OF_RIVALS
    # Every individual comes to ``mutate``, which flips each bit with its own probability.
    algorithms.eaSimple(population, toolbox, CROSSOVER, 1.0, generations, verbose=False)
    return refits.n_evaluations


def search_with_pygad(refits: Refits) -> int:
    """Search with PyGAD; its random mutation of a gene of two values is a flip."""

    def score(_search: pygad.GA, mask: NDArray[np.int64], _place: int) -> float:
        return refits(mask.astype(np.bool_))

    pygad.GA(
        num_generations=N_GENERATIONS_OF_RIVALS,
        num_parents_mating=N_INDIVIDUALS,
        fitness_func=score,
        sol_per_pop=N_INDIVIDUALS,
        num_genes=refits.n_features,
        gene_type=int,
        gene_space=[0, 1],
        parent_selection_type="rws",
        crossover_type="uniform",
        crossover_probability=CROSSOVER,
        mutation_type="random",
        mutation_probability=MUTATION,
        random_seed=0,
    ).run()
    return refits.n_evaluations


def search_with_pymoo(refits: Refits) -> int:
    """Search with pymoo, which minimises, and counts the founders as a generation."""
    problem = FunctionalProblem(refits.n_features, lambda mask: -refits(mask), xl=0, xu=1)
    search = GA(
        pop_size=N_INDIVIDUALS,
        sampling=BinaryRandomSampling(),
        selection=Roulette(),
        crossover=UniformCrossover(prob=CROSSOVER),
        mutation=BitflipMutation(prob_var=MUTATION),
        eliminate_duplicates=False,
    )
    minimize(problem, search, ("n_gen", 1 + N_GENERATIONS_OF_RIVALS), seed=0)
    return refits.n_evaluations


def search_with_sklearn_genetic(refits: Refits) -> int:
    """Search with sklearn-genetic-opt, which scores the mean accuracy only.

    It takes one probability for whether a pair is crossed and for each gene's exchange, and
    one for whether a child is mutated and for each bit's flip; without elitism it selects
    by roulette.
    """
    random.seed(0)
    accuracy = CountedAccuracy()
    splits = list(LeaveOneGroupOut().split(refits.features, refits.labels, refits.subjects))
    GAFeatureSelectionCV(
        make_machine(),
        cv=splits,
        scoring=accuracy,
        population_size=N_INDIVIDUALS,
        generations=N_GENERATIONS_OF_RIVALS,
        crossover_probability=CROSSOVER,
        mutation_probability=MUTATION,
        elitism=False,
        algorithm="eaSimple",
        refit=False,
        verbose=False,
    ).fit(refits.features, refits.labels)
    return accuracy.n_machines // len(splits)


def search_with_ours(refits: Refits, n_generations: int = N_GENERATIONS_OF_OURS) -> int:
    """Search with our algorithm on one population; the fitness is prepared anew."""
    fitness = CountedFitness(refits.features, refits.labels, refits.subjects)
    settings = GeneticSettings(
        n_islands=1,
        n_individuals=N_INDIVIDUALS,
        n_random_migrants=10,
        n_generations=n_generations,
        founders="random_gene",
        crossover_probability=CROSSOVER,
        mutation="bit",
        mutation_rate=MUTATION,
        C_values=(1.0,),
        bias=(0.0,),
    )
    evolve(fitness, settings, SerialCommunicator())
    return fitness.n_evaluations


def measure(program: str, search: Callable[[Refits], int], refits: Refits) -> Run:
    """Time a search by the CPU seconds of this process, all threads together."""
    refits.n_evaluations = 0
    start = time.process_time()
    n_evaluations = search(refits)
    return Run(program, n_evaluations, time.process_time() - start)


def measure_rivals(refits: Refits) -> list[Run]:
    """Measure all rivals that run, and say which do not."""
    rivals = {
        f"scikit-learn {version('scikit-learn')}, `cross_val_score` in a loop": score_in_a_loop,
        f"DEAP {version('deap')}, `eaSimple`": search_with_deap,
        f"PyGAD {version('pygad')}": search_with_pygad,
        f"pymoo {version('pymoo')}, `GA`": search_with_pymoo,
        f"sklearn-genetic-opt {version('sklearn-genetic-opt')}": search_with_sklearn_genetic,
    }
    runs = []
    for program, search in rivals.items():
        try:
            runs.append(measure(program, search, refits))
        except Exception as error:  # noqa: BLE001  # whatever a rival raises, the others count
            print(f"{program} does not run: {type(error).__name__}: {error}\n", flush=True)
    return runs


def greatest_difference(refits: Refits) -> float:
    """Return the greatest difference between the rivals' fitness of random masks and ours."""
    masks = random_masks(N_COMPARED, refits.n_features)
    fitness = SubjectFoldFitness(refits.features, refits.labels, refits.subjects)
    ours = fitness.score(masks, np.ones(len(masks)), "mu_minus_variance")
    return float(np.abs(ours - [refits(mask) for mask in masks]).max())


def main() -> None:
    """Print the table."""
    limit_library_threads()
    warnings.simplefilter("ignore", ConvergenceWarning)
    shape = INDEPENDENT[0]
    features, labels, subjects = make_clips(shape)
    refits = Refits(features.astype(np.float64), labels, subjects)
    print(
        f"{shape.n_clips} clips x {shape.n_features} features, {shape.n_subjects} subjects, "
        f"{shape.n_classes} classes; fitness of {N_COMPARED} random masks: rivals' and ours "
        f"differ by at most {greatest_difference(refits):.1g}\n",
        flush=True,
    )
    runs = measure_rivals(refits)
    search_with_ours(refits, n_generations=1)  # compiles
    ours = measure(f"merec_hpc {version('merec_hpc')}, `evolve`", search_with_ours, refits)
    print("| program | evaluations | CPU s | per CPU second | ours is x times |")
    print("|---|---|---|---|---|")
    for run in (*runs, ours):
        print(
            f"| {run.program} | {run.n_evaluations} | {run.seconds:.2f} | {run.rate:.1f} "
            f"| {ours.rate / run.rate:.0f} |"
        )


if __name__ == "__main__":
    main()
