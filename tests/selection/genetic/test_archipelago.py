"""Whole searches, mostly on a stand-in for the fitness."""

from dataclasses import asdict, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from parallel.threads import run_ranks

from merec_hpc.config.selection import Criterion, GeneticSettings
from merec_hpc.criteria import mu, mu_minus_variance
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.records import Features, Masks, Selection
from merec_hpc.selection.fitness.genome import Genome
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.fitness.unit_fitness import UnitFitness
from merec_hpc.selection.genetic.archipelago import evolve
from merec_hpc.selection.genetic.breeding import Draft, island_rng, keys_of

Bias = ArrayLike | None
CRITERIA = {"mu": mu, "mu_minus_variance": mu_minus_variance}


class OneMax:
    """The accuracy on each of two folds is the share of right bits in one half of the mask.

    Right is what agrees with a pattern: all ones would be among the founders.
    """

    n_features = 16
    pattern = np.arange(16) % 3 == 0

    def __init__(self) -> None:
        self.best_seen = 0.0

    def fold_accuracies(self, masks: Masks, C: ArrayLike, bias: Bias = None) -> NDArray[np.float64]:
        assert len(np.asarray(C)) == len(masks)
        halves = (masks == self.pattern).reshape(len(masks), 2, 8).mean(axis=2)
        self.best_seen = max([self.best_seen, *halves.mean(axis=1)])
        return halves

    def score(
        self, masks: Masks, C: ArrayLike, criterion: Criterion, bias: Bias = None
    ) -> NDArray[np.float64]:
        return CRITERIA[criterion](self.fold_accuracies(masks, C, bias))

    def training_accuracies(
        self, masks: Masks, C: ArrayLike, bias: Bias = None
    ) -> NDArray[np.float64]:
        assert len(np.asarray(C)) == len(masks)
        accuracies: NDArray[np.float64] = share(masks) ** 2
        return accuracies


def share(masks: Masks) -> NDArray[np.float64]:
    """Return the share of right bits of each mask."""
    right: NDArray[np.float64] = (masks == OneMax.pattern).mean(axis=1)
    return right


SETTINGS = GeneticSettings(
    bias=(0.0,),
    n_islands=3,
    n_individuals=10,
    n_random_migrants=2,
    n_generations=8,
    migration_interval=3,
    n_emigrants=2,
    hall_of_fame_size=4,
    mutation="bit",
    C_values=(0.1, 1.0, 10.0),
    criterion="mu",
)


TWO = ("fitness", "n_features")
FRONT = replace(SETTINGS, objectives=TWO)


def search(settings: GeneticSettings, fitness: Any = None) -> Selection:
    return evolve(fitness or OneMax(), settings, SerialCommunicator())


def contents(selection: Selection) -> bytes:
    """Return every number of a selection, with its type and shape."""
    parts = asdict(selection)
    arrays = [
        *(parts[name] for name in ("mask", "C", "fitness", "generation")),
        *(
            column
            for name in ("history", "hall_of_fame", "last", "front")
            for column in (parts[name] or {}).values()
        ),
    ]
    return b"".join(
        f"{np.asarray(array).dtype}{np.shape(array)}".encode() + np.asarray(array).tobytes()
        for array in arrays
    )


@pytest.mark.parametrize("mutation", ["bit", "individual"])
def test_one_max_is_solved(mutation: Any) -> None:
    settings = replace(SETTINGS, n_generations=60, mutation=mutation)
    selection = search(settings)
    assert selection.hall_of_fame.fitness[0] == 1.0
    np.testing.assert_array_equal(selection.hall_of_fame.masks[0], OneMax.pattern)


def test_a_search_beats_its_founders() -> None:
    history = search(SETTINGS).history
    assert history.best_fitness[-1] > history.best_fitness[0]
    assert history.mean_fitness[-1] > history.mean_fitness[0] + 0.1


@pytest.mark.parametrize("n_elites", [0, 1, 3])
@pytest.mark.parametrize("criterion", ["mu", "mu_minus_variance"])
def test_the_best_fitness_never_falls(criterion: Any, n_elites: int) -> None:
    settings = replace(SETTINGS, criterion=criterion, n_elites=n_elites, n_generations=20)
    best_fitness = search(settings).history.best_fitness
    assert (np.diff(best_fitness) >= 0).all()
    assert best_fitness[-1] > best_fitness[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "change",
    [
        {},
        # Only migrants bring anything new, and no child repeats them.
        {
            "crossover_probability": 0.0,
            "mutation_rate": 0.0,
            "n_random_migrants": 9,
            "n_generations": 1,
        },
    ],
)
def test_the_hall_of_fame_holds_the_best_that_was_ever_scored(
    change: dict[str, Any], seed: int
) -> None:
    fitness = OneMax()
    selection = search(replace(SETTINGS, seed=seed, **change), fitness)
    assert selection.hall_of_fame.fitness[0] == fitness.best_seen
    assert selection.history.best_fitness[-1] == fitness.best_seen


def loses_the_best(seed: int, n_elites: int) -> bool:
    """Return whether the best is gone after a generation of children opposite to their mothers."""
    settings = replace(
        SETTINGS,
        seed=seed,
        crossover_probability=0.0,
        mutation_rate=1.0,
        n_generations=1,
        n_elites=n_elites,
    )
    selection = search(settings)
    return bool(selection.last.fitness.max() < selection.history.best_fitness[-1])


def test_an_elite_keeps_the_best_in_the_population() -> None:
    assert not any(loses_the_best(seed, n_elites=1) for seed in range(10))
    assert any(loses_the_best(seed, n_elites=0) for seed in range(10))


def test_the_same_settings_give_the_same_result() -> None:
    assert contents(search(SETTINGS)) == contents(search(SETTINGS))


def test_another_seed_gives_another_result() -> None:
    assert contents(search(SETTINGS)) != contents(search(replace(SETTINGS, seed=1)))


def test_islands_draw_different_numbers() -> None:
    streams = {
        tuple(island_rng(seed, island).random(4)) for seed, island in product(range(3), repeat=2)
    }
    assert len(streams) == 9


@pytest.mark.parametrize("n_ranks", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("training_accuracy", ["resubstitution", "inner_folds"])
@pytest.mark.parametrize("objectives", [("fitness",), TWO])
def test_result_does_not_depend_on_the_number_of_ranks(
    n_ranks: int, training_accuracy: Any, objectives: Any
) -> None:
    settings = replace(SETTINGS, training_accuracy=training_accuracy, objectives=objectives)
    alone = contents(search(settings))
    for selection in run_ranks(n_ranks, lambda comm: evolve(OneMax(), settings, comm)):
        assert contents(selection) == alone


def test_there_may_be_more_ranks_than_individuals() -> None:
    settings = replace(SETTINGS, n_islands=1, n_individuals=2, n_random_migrants=0, n_emigrants=0)
    alone = contents(search(settings))
    for selection in run_ranks(5, lambda comm: evolve(OneMax(), settings, comm)):
        assert contents(selection) == alone


@pytest.mark.parametrize(
    ("genome", "objectives"),
    [("feature", ("fitness",)), ("feature", TWO), ("mask", TWO), ("weights", ("fitness",))],
)
def test_ranks_share_out_real_clips_to_the_same_result(
    features: Features, genome: str, objectives: Any
) -> None:
    settings = replace(SETTINGS, n_generations=2, n_islands=2, objectives=objectives)
    clips = features.values, features.labels, features.subjects

    def fitness() -> SubjectFoldFitness:
        if genome == "feature":
            return SubjectFoldFitness(*clips)
        return UnitFitness(*clips, genome=Genome(np.arange(30) % 10, weighs=genome == "weights"))

    alone = contents(search(settings, fitness()))
    for selection in run_ranks(3, lambda comm: evolve(fitness(), settings, comm)):
        assert contents(selection) == alone


def test_ranks_share_out_the_work() -> None:
    class Counting(OneMax):
        n_scored = 0

        def fold_accuracies(
            self, masks: Masks, C: ArrayLike, bias: Bias = None
        ) -> NDArray[np.float64]:
            self.n_scored += len(masks)
            return super().fold_accuracies(masks, C, bias)

    fitnesses = [Counting() for _ in range(3)]
    run_ranks(3, lambda comm: evolve(fitnesses[comm.rank], SETTINGS, comm))
    counts = [fitness.n_scored for fitness in fitnesses]
    # At most founders, children (all but one elite) and migrants; copies are not scored again.
    assert sum(counts) <= 3 * 10 + 8 * 3 * (9 + 2)
    assert max(counts) - min(counts) <= 1 + 8
    alone = Counting()
    evolve(alone, SETTINGS, SerialCommunicator())
    assert sum(counts) == alone.n_scored


def test_no_generations_choose_among_the_founders() -> None:
    selection = search(replace(SETTINGS, n_generations=0))
    assert selection.generation == 0
    assert len(selection.history.best_fitness) == 1
    assert selection.fitness == selection.last.fitness.max()
    assert len(selection.last.C) == 30


@pytest.mark.parametrize("n_generations", [0, 1, 5])
def test_the_history_has_one_row_a_generation_and_the_founders(n_generations: int) -> None:
    history = search(replace(SETTINGS, n_generations=n_generations)).history
    assert {len(column) for column in vars(history).values()} == {n_generations + 1}
    assert history.best_masks.shape == (n_generations + 1, 16)


def test_a_longer_search_begins_like_a_shorter_one() -> None:
    shorter = search(replace(SETTINGS, n_generations=4)).history
    longer = search(SETTINGS).history
    for name, column in vars(shorter).items():
        np.testing.assert_array_equal(vars(longer)[name][:5], column)


def test_the_history_describes_its_individuals() -> None:
    selection = search(SETTINGS)
    history = selection.history
    # Under "mu" the stand-in's fitness is the share of right bits.
    np.testing.assert_allclose(history.best_fitness, share(history.best_masks))
    np.testing.assert_allclose(history.training_accuracy, share(history.best_masks) ** 2)
    counts = selection.last.masks.sum(axis=1)
    assert (history.min_selected[-1], history.max_selected[-1]) == (counts.min(), counts.max())
    assert history.mean_fitness[-1] == pytest.approx(selection.last.fitness.mean())


def test_training_accuracy_may_be_that_of_the_inner_folds() -> None:
    history = search(replace(SETTINGS, training_accuracy="inner_folds")).history
    np.testing.assert_allclose(history.training_accuracy, share(history.best_masks))


@pytest.mark.parametrize("criterion", ["mu", "mu_minus_variance"])
def test_fitness_is_the_criterion_of_the_fold_accuracies(criterion: Any) -> None:
    selection = search(replace(SETTINGS, criterion=criterion))
    for population in (selection.hall_of_fame, selection.last):
        accuracies = OneMax().fold_accuracies(population.masks, population.C)
        np.testing.assert_array_equal(population.fitness, CRITERIA[criterion](accuracies))


def test_the_criteria_lead_to_different_populations() -> None:
    by_mean = search(SETTINGS)
    by_both = search(replace(SETTINGS, criterion="mu_minus_variance"))
    assert contents(by_mean) != contents(by_both)
    np.testing.assert_array_equal(by_mean.history.max_selected[0], by_both.history.max_selected[0])


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"n_islands": 1},
        {"n_random_migrants": 0},
        {"n_random_migrants": 9},
        {"n_elites": 0},
        {"n_elites": 9},
        {"n_emigrants": 9, "migration_interval": 1},
        {"objectives": TWO},
        {"objectives": TWO, "n_random_migrants": 0},
        {"objectives": TWO, "n_random_migrants": 6, "n_emigrants": 9, "migration_interval": 1},
    ],
)
def test_the_population_keeps_its_size(change: dict[str, Any]) -> None:
    settings = replace(SETTINGS, **change)
    last = search(settings).last
    n_individuals = settings.n_islands * settings.n_individuals
    assert last.masks.shape == (n_individuals, 16)
    assert len(last.C) == len(last.fitness) == n_individuals
    assert set(last.C.tolist()) <= set(settings.C_values)


def test_what_is_selected_is_the_best_of_the_chosen_generation() -> None:
    selection = search(replace(SETTINGS, n_generations=20))
    history, generation = selection.history, selection.generation
    assert generation > 0
    np.testing.assert_array_equal(selection.mask, history.best_masks[generation])
    assert history.best_C[generation] == selection.C
    assert selection.fitness == history.best_fitness[generation]
    assert generation == 1 + np.argmax(np.diff(max_range(history)))


def max_range(history: Any) -> NDArray[np.float64]:
    series: NDArray[np.float64] = max(history.best_fitness, history.training_accuracy, key=np.ptp)
    return series


def test_flat_series_select_the_founders() -> None:
    selection = search(replace(SETTINGS, flat_range=1.0))
    assert selection.generation == 0
    assert selection.fitness == selection.history.best_fitness[0]


def test_random_genes_span_a_narrower_range_than_random_counts() -> None:
    class Wide(OneMax):
        n_features = 400

        def fold_accuracies(
            self, masks: Masks, C: ArrayLike, bias: Bias = None
        ) -> NDArray[np.float64]:
            return super().fold_accuracies(masks[:, :16], C)

        def training_accuracies(
            self, masks: Masks, C: ArrayLike, bias: Bias = None
        ) -> NDArray[np.float64]:
            return super().training_accuracies(masks[:, :16], C)

    def span(founders: Any) -> int:
        history = search(replace(SETTINGS, n_generations=3, founders=founders), Wide()).history
        return int((history.max_selected - history.min_selected).max())

    assert span("random_gene") < 0.5 * span("random_count")


@pytest.mark.parametrize(("interval", "migrates"), [(1, True), (7, True), (8, False)])
def test_islands_meet_after_every_interval(interval: int, migrates: bool) -> None:
    # Of 8 generations the eighth is the last: nothing is bred from who arrives after it.
    meeting = contents(search(replace(SETTINGS, migration_interval=interval)))
    apart = contents(search(replace(SETTINGS, n_emigrants=0)))
    assert (meeting != apart) == migrates


def test_a_lone_island_has_nobody_to_meet() -> None:
    alone = replace(SETTINGS, n_islands=1)
    assert contents(search(alone)) == contents(search(replace(alone, n_emigrants=0)))


def test_without_variation_children_are_copies_of_the_founders() -> None:
    still = replace(SETTINGS, crossover_probability=0.0, mutation_rate=0.0, n_random_migrants=0)
    founders = search(replace(still, n_generations=0)).last
    known = {(*mask, C) for mask, C in zip(founders.masks.tolist(), founders.C, strict=True)}
    last = search(still).last
    assert {(*mask, C) for mask, C in zip(last.masks.tolist(), last.C, strict=True)} < known


def test_penalties_evolve_towards_the_better_ones() -> None:
    class LikesLargeC(OneMax):
        def fold_accuracies(
            self, masks: Masks, C: ArrayLike, bias: Bias = None
        ) -> NDArray[np.float64]:
            assert len(masks) == len(np.asarray(C))
            return np.repeat(np.asarray(C)[:, None] / 10, 2, axis=1)

    selection = search(SETTINGS, LikesLargeC())
    assert selection.C == 10.0
    assert (selection.last.C == 10.0).mean() > 0.6


def test_a_search_finds_the_best_of_few_features(features: Features) -> None:
    # The columns 4 and 5 carry one class, 20 to 22 are noise.
    values = features.values[:, [0, 2, 4, 20, 21, 22]]
    fitness = SubjectFoldFitness(values, features.labels, features.subjects)
    masks = np.array(list(product([False, True], repeat=6)))

    def scores(C: float) -> NDArray[np.float64]:
        return CRITERIA["mu"](fitness.fold_accuracies(masks, np.full(len(masks), C)))

    best = max(scores(C).max() for C in SETTINGS.C_values)
    selection = search(replace(SETTINGS, n_generations=15), fitness)
    assert selection.hall_of_fame.fitness[0] == best


def test_copies_are_not_scored_again() -> None:
    class Recording(OneMax):
        seen: list[bytes] = []  # noqa: RUF012

        def fold_accuracies(
            self, masks: Masks, C: ArrayLike, bias: Bias = None
        ) -> NDArray[np.float64]:
            penalties, biases = np.asarray(C, np.float64), np.asarray(bias, np.float64)
            keys = keys_of(Draft(masks, penalties, biases))
            assert len(set(keys)) == len(keys)
            self.seen.extend(keys)
            return super().fold_accuracies(masks, penalties, biases)

    copying = replace(SETTINGS, crossover_probability=0.0, mutation_rate=0.0, n_random_migrants=0)
    fitness = Recording()
    selection = evolve(fitness, copying, SerialCommunicator())
    assert len(fitness.seen) == len(set(fitness.seen)) <= 30  # the founders
    assert selection.last.fitness.tolist() == share(selection.last.masks).tolist()


@pytest.mark.parametrize("topology", ["torus", "full", "custom"])
def test_any_topology_gives_the_same_on_any_number_of_ranks(topology: Any) -> None:
    edges = ((0, 2), (2, 1)) if topology == "custom" else ()
    settings = replace(SETTINGS, topology=topology, edges=edges)
    alone = contents(search(settings))
    assert alone != contents(search(SETTINGS))
    for selection in run_ranks(2, lambda comm: evolve(OneMax(), settings, comm)):
        assert contents(selection) == alone


def test_a_flat_search_ends_early_and_is_the_beginning_of_the_whole() -> None:
    whole = search(replace(SETTINGS, n_generations=60)).history
    short = search(replace(SETTINGS, n_generations=60, flat_window=4)).history
    n_rows = len(short.best_fitness)
    assert n_rows < len(whole.best_fitness)
    assert np.ptp(short.best_fitness[-5:]) < SETTINGS.flat_range
    np.testing.assert_array_equal(short.best_fitness, whole.best_fitness[:n_rows])


def test_generations_are_reported_as_they_come() -> None:
    lengths: list[int] = []
    settings = replace(SETTINGS, n_generations=3)
    evolve(
        OneMax(),
        settings,
        SerialCommunicator(),
        on_generation=lambda history: bool(lengths.append(len(history.best_fitness))),
    )
    assert lengths == [1, 2, 3, 4]


@pytest.mark.parametrize("n_ranks", [1, 2, 4])
@pytest.mark.parametrize("end", [0, 1, 3])
def test_who_watches_ends_the_search_on_all_ranks(n_ranks: int, end: int) -> None:
    expected = contents(search(replace(SETTINGS, n_generations=end)))
    selections = run_ranks(
        n_ranks,
        lambda comm: evolve(
            OneMax(),
            SETTINGS,
            comm,
            on_generation=lambda history: len(history.best_fitness) > end,
        ),
    )
    assert contents(selections[0]) == expected
    assert {len(one.history.best_fitness) for one in selections} == {end + 1}


def test_one_bias_is_no_gene() -> None:
    # No random number is drawn for it: the search is the same.
    plain, one = search(SETTINGS), search(replace(SETTINGS, bias=(0.3,)))
    np.testing.assert_array_equal(one.last.masks, plain.last.masks)
    np.testing.assert_array_equal(one.last.C, plain.last.C)
    assert set(one.last.bias) == set(one.hall_of_fame.bias) == {0.3} == {one.bias}
    assert set(plain.last.bias) == {0.0}
    assert contents(search(replace(SETTINGS, bias=("none", 0.3)))) != contents(plain)


def test_biases_evolve_towards_the_better_ones() -> None:
    class LikesBias(OneMax):
        def fold_accuracies(self, masks: Masks, C: ArrayLike, bias: Bias = None) -> Any:
            return np.repeat(np.asarray(bias)[:, None] / 10, 2, axis=1)

    selection = search(replace(SETTINGS, bias=("none", 0.3, 3.0)), LikesBias())
    assert selection.bias == 3.0
    assert (selection.last.bias == 3.0).mean() > 0.6
    assert selection.history.best_bias[-1] == 3.0


@pytest.mark.parametrize("n_ranks", [2, 5])
def test_biases_do_not_depend_on_the_number_of_ranks(features: Features, n_ranks: int) -> None:
    settings = replace(SETTINGS, n_generations=3, bias=("none", 0.3))

    def fitness() -> SubjectFoldFitness:
        return SubjectFoldFitness(features.values + 1, features.labels, features.subjects)

    alone = search(settings, fitness())
    assert set(alone.last.bias) == {0.0, 0.3}
    for selection in run_ranks(n_ranks, lambda comm: evolve(fitness(), settings, comm)):
        assert contents(selection) == contents(alone)


def test_a_search_for_fitness_alone_has_no_front() -> None:
    assert search(SETTINGS).front is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hall_of_fame_size", [1, 8])
def test_nobody_of_the_last_population_or_the_hall_beats_the_front(
    seed: int, hall_of_fame_size: int
) -> None:
    selection = search(replace(FRONT, seed=seed, hall_of_fame_size=hall_of_fame_size))
    front = selection.front
    assert front is not None
    everybody = selection.last.joined(selection.hall_of_fame)
    found = list(zip(front.fitness.tolist(), front.masks.sum(axis=1).tolist(), strict=True))
    assert found == sorted(set(found))
    for fitness, mask in zip(everybody.fitness, everybody.masks, strict=True):
        assert any(best >= fitness and few <= mask.sum() for best, few in found) or not mask.any()
    assert set(keys_of(front)) <= set(keys_of(everybody))


@pytest.mark.parametrize("seed", range(4))
def test_the_champion_is_the_end_of_the_front_and_of_the_last_generation(seed: int) -> None:
    selection = search(replace(FRONT, seed=seed, n_generations=5))
    front, hall = selection.front, selection.hall_of_fame
    assert front is not None
    assert selection.generation == 5
    np.testing.assert_array_equal(front.masks[-1], selection.mask)
    assert (front.C[-1], front.bias[-1]) == (selection.C, selection.bias)
    assert front.fitness[-1] == selection.fitness == hall.fitness.max()
    counts = hall.masks.sum(axis=1)
    assert counts[0] == counts[hall.fitness == hall.fitness[0]].min()


def test_one_max_has_a_front_of_all_that_is_worth_having() -> None:
    # Every right bit that is set adds 1/16: the best of k features have 10 + k right ones.
    settings = replace(FRONT, n_generations=60, n_individuals=30, mutation_rate=0.1)
    front = search(settings).front
    assert front is not None
    counts = front.masks.sum(axis=1)
    assert counts.tolist() == [1, 2, 3, 4, 5, 6]
    assert front.fitness.tolist() == ((10 + counts) / 16).tolist()


def test_few_features_are_found_where_they_are_sought() -> None:
    one, two = search(SETTINGS), search(FRONT)
    assert one.history.min_selected[0] == two.history.min_selected[0]
    assert two.last.masks.sum(axis=1).mean() < one.last.masks.sum(axis=1).mean()


def test_the_founders_have_a_front_too() -> None:
    selection = search(replace(FRONT, n_generations=0))
    assert selection.generation == 0
    assert selection.front is not None
    np.testing.assert_array_equal(selection.front.masks[-1], selection.mask)
