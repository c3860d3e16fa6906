"""The permutation test: what is permuted, what is run again, and what a p-value counts."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from merec_hpc.config.evaluation import Decider, Method
from merec_hpc.config.scaling import STANDARD, UNSCALED, ScalingSettings
from merec_hpc.config.selection import (
    AllFeaturesSettings,
    ForwardSettings,
    GeneticSettings,
    InnerSettings,
    RandomMasksSettings,
    RankingSettings,
)
from merec_hpc.criteria import OF_DECISIONS
from merec_hpc.evaluation.held_out import decider_decisions, predict_held_out
from merec_hpc.evaluation.permutation import (
    PermutedRun,
    permutation_p_value,
    permuted,
    run_on,
    summarise,
)
from merec_hpc.metrics import METRICS, unweighted_average_recall, unweighted_f1
from merec_hpc.records import Features
from merec_hpc.selection.all_features import select_all_features
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.random_masks import select_random_masks

QUICK = GeneticSettings(n_islands=1, n_individuals=8, n_generations=2, n_random_migrants=2)


def test_labels_change_places_within_subjects_alone(features: Features) -> None:
    found = permuted(features, 3, seed=0)
    assert (found.labels != features.labels).any()
    for subject in np.unique(features.subjects):
        rows = features.subjects == subject
        assert sorted(found.labels[rows]) == sorted(features.labels[rows])
    np.testing.assert_array_equal(found.values, features.values)


def test_permutations_are_told_apart_by_number_and_seed(features: Features) -> None:
    np.testing.assert_array_equal(permuted(features, 0, seed=5).labels, features.labels)
    labels = [
        permuted(features, number, seed).labels.tolist()
        for number, seed in ((1, 0), (1, 0), (2, 0), (1, 1))
    ]
    assert labels[0] == labels[1]
    assert len({tuple(row) for row in labels}) == 3


def test_every_fold_is_selected_and_predicted_without_its_subject(features: Features) -> None:
    settings = AllFeaturesSettings()
    run, predicted = run_on(features, Method("all_features"), settings, UNSCALED)
    expected = np.empty(len(features.labels), np.int64)
    fitnesses = []
    for subject in np.unique(features.subjects):
        training = features.without(subject)
        fitness = SubjectFoldFitness(training.values, training.labels, training.subjects)
        chosen = select_all_features(fitness, settings)
        fitnesses.append(chosen.fitness)
        expected[features.subjects == subject] = predict_held_out(
            features, subject, chosen.mask, chosen.C, UNSCALED
        )
    assert predicted == features.class_names[expected].tolist()
    assert run.scores["accuracy"] == (expected == features.labels).mean()
    assert run.inner_fitness == pytest.approx(np.mean(fitnesses))


@pytest.mark.parametrize("method", ["genetic", "genetic+ensemble", "random_masks+hall_of_fame"])
def test_searches_and_deciders_are_run(features: Features, method: str) -> None:
    settings = QUICK if method.startswith("genetic") else RandomMasksSettings(n_masks=6)
    runs = [
        run_on(permuted(features, number, 0), Method.parse(method), settings, STANDARD)
        for number in (1, 1)
    ]
    assert runs[0] == runs[1]
    assert runs[0][0].method == method


def test_a_run_says_that_its_scaling_is_transductive(features: Features) -> None:
    settings = AllFeaturesSettings(C_values=(1.0,))
    scaling = ScalingSettings(kind="transductive_full", min_clips=2)
    method = Method("all_features", "ensemble")
    run, predicted = run_on(features, method, settings, scaling)
    assert run.method == "all_features+ensemble (transductive)"
    assert predicted != run_on(features, method, settings, STANDARD)[1]


def test_a_run_says_that_its_features_are_transductive(features: Features) -> None:
    names = np.char.add("network (transductive)/", features.names)
    settings = AllFeaturesSettings(C_values=(1.0,))
    run, _ = run_on(replace(features, names=names), Method("all_features"), settings, STANDARD)
    assert run.method == "all_features (transductive)"


@pytest.mark.parametrize("method", ["all_features", "forward", "fisher", "genetic"])
@pytest.mark.parametrize("criterion", OF_DECISIONS)
def test_selections_on_permuted_labels_are_at_chance_outside(
    features: Features, criterion: str, method: str
) -> None:
    inner: dict[str, Any] = {
        "criterion": criterion,
        "C_values": (0.01, 1.0),
        "departure_penalty": 0.05,
        "n_inner_folds": 2,
        "n_groupings": 2,
    }
    own: dict[str, InnerSettings] = {
        "all_features": AllFeaturesSettings(**inner),
        "forward": ForwardSettings(n_steps=3, **inner),
        "fisher": RankingSettings(n_selected_values=(2, 8), **inner),
        "genetic": GeneticSettings(
            n_islands=1, n_individuals=6, n_random_migrants=1, n_generations=2, **inner
        ),
    }
    n_sets = 8
    hits = [
        run_on(permuted(features, number, 3), Method(method), own[method], STANDARD)[0].scores
        for number in range(1, n_sets + 1)
    ]
    n_right = sum(score["accuracy"] * 24 for score in hits)
    # Of 192 clips of three even classes; one test in 10^4 would fail by chance, of 8.
    assert n_right <= binom.ppf(1 - 1e-4 / 8, 24 * n_sets, 1 / 3)


def test_clips_that_no_fold_holds_out_are_trained_on_only(features: Features) -> None:
    folds = np.where(features.subjects == "s04", "test", "")
    split = replace(features, folds=folds)
    _, predicted = run_on(
        split, Method("all_features"), AllFeaturesSettings(C_values=(1.0,)), UNSCALED
    )
    training = features.without("s04")
    fitness = SubjectFoldFitness(training.values, training.labels, training.subjects)
    chosen = select_all_features(fitness, AllFeaturesSettings(C_values=(1.0,)))
    expected = decider_decisions(features, "s04", [chosen], "champion", UNSCALED).argmax(axis=1)
    assert predicted == features.class_names[expected].tolist()


def test_p_value_counts_the_real_labels_as_one_permutation() -> None:
    assert permutation_p_value(0.6, [0.5, 0.5, 0.7, 0.4]) == 2 / 5
    assert permutation_p_value(0.9, [0.5, 0.5, 0.7, 0.4]) == 1 / 5
    assert permutation_p_value(0.5, [0.5, 0.5, 0.7, 0.4]) == 4 / 5


def test_p_value_with_ties_broken_at_random_is_uniform_under_the_null() -> None:
    rng = np.random.default_rng(0)
    values = []
    for _ in range(2000):
        scores = rng.integers(0, 4, 20)  # many ties
        values.append(permutation_p_value(scores[0], scores[1:], rng))
    edges = np.quantile(values, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(edges, [0.1, 0.5, 0.9], atol=0.03)


def test_summary_sets_the_real_score_among_the_permuted_ones() -> None:
    runs = [
        PermutedRun("genetic", number, dict.fromkeys(METRICS, score), 0.8)
        for number, score in enumerate([0.6, 0.3, 0.4, 0.7, 0.2])
    ]
    rows = summarise([*runs, PermutedRun("fisher", 1, dict.fromkeys(METRICS, 0.1), 0.5)])
    assert [(row.method, row.metric) for row in rows] == [("genetic", metric) for metric in METRICS]
    row = rows[0]
    assert (row.n_permutations, row.real, row.p_value) == (4, 0.6, 2 / 5)
    assert row.permuted_mean == pytest.approx(0.4)
    assert row.optimism == pytest.approx(0.2)


def test_every_score_of_a_summary_is_that_of_its_metric() -> None:
    real, *others = [
        {"accuracy": 0.6, "UF1": 0.5, "UAR": 0.4},
        {"accuracy": 0.3, "UF1": 0.55, "UAR": 0.1},
        {"accuracy": 0.35, "UF1": 0.25, "UAR": 0.5},
    ]
    added = dict.fromkeys(set(METRICS) - set(real), 0.0)  # metrics that come later
    runs = [PermutedRun("genetic", 0, real | added, 0.9)]
    runs += [
        PermutedRun("genetic", number, scores | added, 0.9 - 0.1 * number)
        for number, scores in enumerate(others, 1)
    ]
    rows = {row.metric: row for row in summarise(runs)}
    assert {name: rows[name].real for name in real} == real
    assert [rows[name].permuted_mean for name in real] == pytest.approx([0.325, 0.4, 0.3])
    assert [rows[name].p_value for name in real] == [1 / 3, 2 / 3, 2 / 3]
    assert {row.inner_fitness for row in rows.values()} == {0.9}  # of the real labels
    assert rows["accuracy"].permuted_95 == pytest.approx(0.3 + 0.95 * 0.05)


def test_scores_of_a_run_are_those_of_its_predictions(features: Features) -> None:
    # More clips of one class than of another, or accuracy and UAR would be one.
    uneven = replace(features, labels=np.where(features.labels == 2, 0, features.labels))
    method = Method("random_masks")
    run, predicted = run_on(uneven, method, RandomMasksSettings(n_masks=2), UNSCALED)
    labels = features.class_names[uneven.labels]
    expected = {name: metric(labels, predicted) for name, metric in METRICS.items()}
    assert run.scores == pytest.approx(expected)
    assert len({expected[name] for name in ("accuracy", "UF1", "UAR")}) == 3
    assert (run.method, run.permutation) == ("random_masks", 0)


def test_the_decider_that_a_method_names_decides(features: Features) -> None:
    settings = RandomMasksSettings(n_masks=6)
    deciders: tuple[Decider, ...] = ("champion", "ensemble")
    found = {
        decider: run_on(features, Method("random_masks", decider), settings, UNSCALED)[1]
        for decider in deciders
    }
    for decider, predicted in found.items():
        expected = np.empty(len(features.labels), np.int64)
        for subject in np.unique(features.subjects):
            training = features.without(subject)
            fitness = SubjectFoldFitness(training.values, training.labels, training.subjects)
            chosen = select_random_masks(fitness, settings)
            decisions = decider_decisions(features, subject, [chosen], decider, UNSCALED)
            expected[features.subjects == subject] = decisions.argmax(axis=1)
        assert predicted == features.class_names[expected].tolist()
    assert found["champion"] != found["ensemble"]
    assert run_on(features, Method("random_masks"), settings, UNSCALED)[1] == found["champion"]


def test_a_class_that_is_predicted_without_a_label_is_no_class_of_the_scores(
    features: Features,
) -> None:
    labels = np.where((features.subjects == "s04") & (features.labels == 2), 0, features.labels)
    folds = np.where(features.subjects == "s04", "test", "")
    split = replace(features, labels=labels, folds=folds)
    settings = AllFeaturesSettings(C_values=(1.0,))
    run, predicted = run_on(split, Method("all_features"), settings, UNSCALED)
    held = features.class_names[labels[features.subjects == "s04"]]
    assert set(predicted) > set(held)
    assert run.scores["UF1"] == unweighted_f1(held, predicted) != unweighted_f1(predicted, held)
    assert run.scores["UAR"] == unweighted_average_recall(held, predicted)
