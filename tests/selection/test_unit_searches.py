"""Every selector by groups of features: whole groups, and what the features themselves score."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.commands import describe_selection, evaluate_folds, predict, select, select_genetic
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.scaling import STANDARD, UNSCALED
from merec_hpc.config.selection import (
    AntColonySettings,
    ForwardSettings,
    GeneticSettings,
    RandomMasksSettings,
    RankingSettings,
    SelectorSettings,
)
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.curves import FeatureRow
from merec_hpc.evaluation.held_out import held_out_decisions
from merec_hpc.evaluation.predictions import read_decisions, read_predictions
from merec_hpc.files.rows import read_rows
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features, Selection
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.ranking import find_ranking, fisher_score, mean_scores
from merec_hpc.selection.selectors import RANKED, SELECTORS
from merec_hpc.selection.selectors import select as search
from merec_hpc.selection.training_folds import fold_fitness
from merec_hpc.store.features import write_features
from merec_hpc.store.selection import read_selection

GROUPS = np.array(["nose", "mouth", "brow", "eye", "chin"])[np.arange(30) % 5]
QUICK: dict[type[SelectorSettings], dict[str, object]] = {
    RandomMasksSettings: {"n_masks": 9, "bias": "none"},
    RankingSettings: {"n_selected_values": (1, 2, 9), "bias": "none"},
    ForwardSettings: {"n_steps": 4, "bias": "none"},
    AntColonySettings: {"n_ants": 3, "n_iterations": 2, "bias": "none"},
    GeneticSettings: {
        "n_islands": 2,
        "n_individuals": 8,
        "n_random_migrants": 2,
        "n_generations": 3,
    },
}
SEARCHES = [
    name for name, known in SELECTORS.items() if known.takes_units and known.settings in QUICK
]


@pytest.fixture
def table(features: Features, tmp_path: Path) -> Path:
    path = tmp_path / "units.tsv"
    rows = [f"{name}\t{group}" for name, group in zip(features.names, GROUPS, strict=True)]
    path.write_text("\n".join(["feature\tgroup", *rows]))
    return path


def _settings(name: str, table: Path, **changes: object) -> SelectorSettings:
    kind = SELECTORS[name].settings
    return kind(**{**QUICK[kind], "unit": "custom", "unit_table": table, **changes})  # type: ignore[arg-type]


def _selected(features: Features, name: str, settings: SelectorSettings) -> Selection:
    fitness, _ = fold_fitness(features, "s02", UNSCALED, settings)
    return search(fitness, name, settings)


def _of_features(features: Features, weights: NDArray[np.float64] | None) -> SubjectFoldFitness:
    training = features.without("s02")
    factors = np.ones(30) if weights is None else np.where(weights > 0, weights, 1.0)
    return SubjectFoldFitness(training.values * factors, training.labels, training.subjects)


@pytest.mark.parametrize("name", SEARCHES)
def test_masks_hold_whole_groups_and_score_as_features_do(
    features: Features, table: Path, name: str
) -> None:
    found = _selected(features, name, _settings(name, table))
    history = found.history
    masks = [found.mask[None], history.best_masks, found.hall_of_fame.masks, found.last.masks]
    for mask in np.concatenate(masks):
        for group in set(GROUPS):
            assert len(set(mask[group == GROUPS].tolist())) == 1
    assert found.weights is found.best_weights is found.last.weights is None
    sizes = history.best_masks.sum(axis=1)
    assert (history.max_selected % 6 == 0).all()
    assert history.min_selected.min() <= sizes.min() <= sizes.max() <= history.max_selected.max()
    if SELECTORS[name].section == "ranking" or name.startswith((RANKED, "ant_colony")):
        return  # whose score is of the rankings and heuristics of inner folds
    criterion = SELECTORS[name].criterion or "mu_minus_variance"
    everyone = found.hall_of_fame
    scores = _of_features(features, None).score(
        everyone.masks, everyone.C, criterion, everyone.bias
    )
    np.testing.assert_array_equal(everyone.fitness, scores)


def test_weights_are_found_and_score_as_weighted_features_do(
    features: Features, table: Path
) -> None:
    settings = _settings("genetic", table, genome="weights", bias=("none", 0.3))
    found = _selected(features, "genetic", settings)
    everyone = found.hall_of_fame.joined(found.last)
    assert everyone.weights is not None
    np.testing.assert_allclose(np.unique(everyone.weights), [0, 0.5**0.5, 1, 2**0.5], rtol=1e-15)
    np.testing.assert_array_equal(everyone.weights > 0, everyone.masks)
    for mask, C, bias, fitness, weights in zip(
        everyone.masks, everyone.C, everyone.bias, everyone.fitness, everyone.weights, strict=True
    ):
        scored = _of_features(features, weights)
        expected = scored.score(mask[None], [C], "mu_minus_variance", [bias])
        np.testing.assert_array_equal(expected, fitness)
    assert found.weights is not None
    assert found.best_weights is not None
    np.testing.assert_array_equal(found.weights, found.best_weights[found.generation])
    np.testing.assert_array_equal(found.weights > 0, found.mask)


def test_groups_are_ranked_by_the_mean_of_scores_anew_in_each_inner_fold(
    features: Features, table: Path
) -> None:
    settings = _settings("fisher", table, n_selected=2, C_values=(1.0,))
    found = _selected(features, "fisher", settings)
    fitness = _of_features(features, None)
    folds, values = fitness.folds, fitness.features

    def best(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        scores = fisher_score(values[rows], folds.labels[rows])
        means = {group: np.mean(scores[group == GROUPS]) for group in sorted(set(GROUPS))}
        first = sorted(means, key=lambda group: -means[group])[:2]
        mask: NDArray[np.bool_] = np.isin(GROUPS, first)
        return mask

    answers = np.empty((1, len(folds.labels)), np.int64)
    for fold in range(folds.n_folds):
        held = folds.folds == fold
        answers[:, held] = fitness.answers(best(~held)[None], [1.0], "mu")[:, held]
    np.testing.assert_array_equal(found.mask, best(folds.folds >= 0))
    assert found.fitness == fitness.judge(answers, "mu_minus_variance")[0]


def test_a_group_scores_the_mean_of_its_features() -> None:
    scores = np.array([3.0, 1.0, np.inf, 5.0, 4.0])
    assert mean_scores(scores, np.array([0, 0, 1, 2, 2])).tolist() == [2.0, np.inf, 4.5]
    assert mean_scores(scores, None) is scores
    with pytest.raises(ValueError, match=r"a ranking by scores of features \(fisher, .*'mrmr'"):
        find_ranking("mrmr", np.zeros(5, np.int64))


def test_the_first_step_takes_the_best_group(features: Features, table: Path) -> None:
    settings = _settings("forward", table, n_steps=1, C_values=(1.0,))
    found = _selected(features, "forward", settings)
    masks = np.stack([group == GROUPS for group in dict.fromkeys(GROUPS)])
    rates = _of_features(features, None).rate(masks, np.ones(5), "mu_minus_variance")
    best = max(range(5), key=lambda place: (rates[place, 0], rates[place, 1], -place))
    np.testing.assert_array_equal(found.mask, masks[best])


def test_all_features_have_nothing_to_choose(features: Features) -> None:
    kind = SELECTORS["all_features"].settings
    plain, units = (
        _selected(features, "all_features", kind(**asked)) for asked in ({}, {"unit": "cell"})
    )
    assert units.mask.all()
    assert units.fitness == plain.fitness


def test_commands_heed_groups_and_weights(features: Features, table: Path, tmp_path: Path) -> None:
    store, selection = tmp_path / "features.h5", tmp_path / "selection.h5"
    write_features(store, features, FeatureSettings(), "0" * 64)
    asked = {**QUICK[GeneticSettings], "unit": "custom", "unit_table": str(table)}
    text = json.dumps({**asked, "genome": "weights"})
    select_genetic.run(store, [selection], text, "standard", ["s02"])
    found, origin = read_selection(selection)
    assert found.weights is not None
    assert json.loads(origin.settings)["genome"] == "weights"
    evaluate_folds.run(store, [selection], tmp_path / "predictions.csv")
    expected = held_out_decisions(
        features, "s02", found.mask, found.C, STANDARD, bias=found.bias, weights=found.weights
    )
    decisions = read_decisions(read_predictions(tmp_path / "predictions.csv"))
    assert decisions is not None
    np.testing.assert_allclose(decisions[0], expected, atol=1e-6)
    tables = tmp_path / "chosen.csv", tmp_path / "generations.csv"
    describe_selection.run(store, selection, *tables)
    weights = [row.weight for row in read_rows(tables[0], FeatureRow)]
    np.testing.assert_allclose(weights, found.weights)
    predict.run(store, tmp_path / "clips.csv", [selection], "ensemble")
    assert len((tmp_path / "clips.csv").read_text().splitlines()) == 7
    scaled = Scaling.learn(features.without("s02"), STANDARD).apply(features.without("s02"))
    champion = found.history.best_fitness[found.generation]
    own = SubjectFoldFitness(
        scaled * np.where(found.mask, found.weights, 1.0),
        features.without("s02").labels,
        features.without("s02").subjects,
    )
    assert own.score(found.mask[None], [found.C], "mu_minus_variance")[0] == champion


def test_groups_that_cannot_be_are_one_clear_line(
    features: Features, table: Path, tmp_path: Path
) -> None:
    store, selection = tmp_path / "features.h5", tmp_path / "selection.h5"
    write_features(store, features, FeatureSettings(), "0" * 64)
    for method, asked, said in (
        ("fisher", {"unit": "channel"}, "unit channel: names of a channel"),
        ("mrmr", {"unit": "custom", "unit_table": str(table)}, "unit feature expected with mrmr"),
        ("fisher", {"unit": "custom"}, "a table must be given with unit custom"),
        ("fisher", {"unit": "chanel"}, "did you mean 'channel'"),
    ):
        with pytest.raises(MerecError) as raised:
            select.run(store, method, [selection], json.dumps(asked), "none", ["s02"])
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)
