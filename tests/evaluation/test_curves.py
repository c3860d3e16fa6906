"""The data of the figures, from a run's own history."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.commands import describe_selection, select_genetic
from merec_hpc.config.scaling import UNSCALED
from merec_hpc.config.selection import GeneticSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.curves import (
    FeatureRow,
    FrontRow,
    GenerationRow,
    describe_features,
    describe_front,
    describe_generations,
)
from merec_hpc.evaluation.held_out import predict_held_out
from merec_hpc.files.rows import read_rows
from merec_hpc.parallel.communicator import SerialCommunicator
from merec_hpc.records import Features, History, Population, Selection
from merec_hpc.selection.fitness.subject_folds import SubjectFoldFitness
from merec_hpc.selection.genetic.archipelago import evolve

SETTINGS = GeneticSettings(
    bias=(0.0,),
    n_islands=1,
    n_individuals=30,
    n_random_migrants=4,
    n_generations=10,
    C_values=(1.0,),
)


def test_rows_are_the_history_with_derivatives_and_test_accuracy(features: Features) -> None:
    training = features.without("s02")
    fitness = SubjectFoldFitness(training.values, training.labels, training.subjects)
    selection = evolve(fitness, SETTINGS, SerialCommunicator())
    rows = describe_generations(selection, features, "s02", UNSCALED)
    assert [row.generation for row in rows] == list(range(11))
    assert [row.chosen for row in rows].index(1) == selection.generation
    assert rows[0].best_fitness_derivative is None
    for former, row in itertools.pairwise(rows):
        assert row.best_fitness_derivative == row.best_fitness - former.best_fitness
        assert row.test_accuracy_derivative == row.test_accuracy - former.test_accuracy
        assert row.min_selected <= row.max_selected
    last = rows[-1]
    mask = selection.history.best_masks[-1]
    predicted = predict_held_out(features, "s02", mask, last.C, UNSCALED)
    assert last.test_accuracy == (predicted == features.only("s02").labels).mean()
    assert last.n_selected == mask.sum()


def test_random_counts_span_a_wider_range_than_random_genes(features: Features) -> None:
    """Figure 4: the founders' counts of selected features."""
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    spans = {}
    for founders in ("random_count", "random_gene"):
        settings = replace(SETTINGS, founders=founders, n_generations=0)
        row = describe_generations(
            evolve(fitness, settings, SerialCommunicator()), features, None, UNSCALED
        )[0]
        assert row.test_accuracy is None
        spans[founders] = row.max_selected - row.min_selected
    assert spans["random_count"] > 1.5 * spans["random_gene"]


def test_shares_are_of_the_hall_of_fame(features: Features) -> None:
    fitness = SubjectFoldFitness(features.values, features.labels, features.subjects)
    selection = evolve(fitness, SETTINGS, SerialCommunicator())
    rows = describe_features(selection, features.names)
    assert [row.name for row in rows] == features.names.tolist()
    assert [row.selected for row in rows] == selection.mask.astype(int).tolist()
    np.testing.assert_allclose(
        [row.share for row in rows], selection.hall_of_fame.masks.mean(axis=0)
    )


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_any_table_is_searched_and_read_back(
    features: Features, tmp_path: Path, suffix: str
) -> None:
    table = tmp_path / f"table{suffix}"
    if suffix == ".csv":
        lines = [",".join([*features.names, "label", "group"])]
        for values, label, subject in zip(
            features.values, features.labels, features.subjects, strict=True
        ):
            lines.append(",".join([*map(repr, values.tolist()), f"class{label}", subject]))
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        np.savez(table, X=features.values, y=features.labels, group=features.subjects)
    settings = '{"n_islands": 1, "n_individuals": 8, "n_random_migrants": 2, "n_generations": 2}'
    for held_out in (None, ["s03"]):
        selection = tmp_path / "selection.h5"
        select_genetic.run(table, [selection], settings, held_out=held_out)
        chosen, generations = tmp_path / "features.csv", tmp_path / "generations.csv"
        describe_selection.run(table, selection, chosen, generations)
        read = read_rows(generations, GenerationRow)
        assert len(read) == 3
        assert (read[0].test_accuracy is None) == (held_out is None)
        assert len(read_rows(chosen, FeatureRow)) == 30
    other = tmp_path / "other.npz"
    np.savez(other, X=np.ones((4, 2)), y=[0, 1, 0, 1], group=["s03", "s03", "b", "b"])
    with pytest.raises(MerecError, match="2 features expected, found 30"):
        describe_selection.run(other, selection, chosen, generations)


def test_every_column_of_the_rows_is_that_of_the_history(features: Features) -> None:
    mask = np.arange(30) < 3
    history = History(
        best_fitness=np.array([0.1, 0.3]),
        training_accuracy=np.array([0.5, 0.4]),
        mean_fitness=np.array([0.05, 0.15]),
        min_selected=np.array([1, 2]),
        max_selected=np.array([20, 10]),
        best_masks=np.stack([~mask, mask]),
        best_C=np.array([10.0, 0.1]),
        best_bias=np.array([0.0, 0.3]),
    )
    last = Population(mask[None], np.ones(1), np.zeros(1), np.ones(1))
    selection = Selection(mask, 0.1, 0.3, 0.3, 1, history, last, last)
    first, second = describe_generations(selection, features, None, UNSCALED)
    assert first == GenerationRow(
        generation=0,
        chosen=0,
        best_fitness=0.1,
        best_fitness_derivative=None,
        training_accuracy=0.5,
        training_accuracy_derivative=None,
        test_accuracy=None,
        test_accuracy_derivative=None,
        mean_fitness=0.05,
        min_selected=1,
        max_selected=20,
        n_selected=27,
        C=10.0,
        bias=0.0,
    )
    assert second == replace(
        first,
        generation=1,
        chosen=1,
        best_fitness=0.3,
        best_fitness_derivative=0.3 - 0.1,
        training_accuracy=0.4,
        training_accuracy_derivative=0.4 - 0.5,
        mean_fitness=0.15,
        min_selected=2,
        max_selected=10,
        n_selected=3,
        C=0.1,
        bias=0.3,
    )


def test_test_accuracy_is_that_of_each_generations_bias(features: Features) -> None:
    # Clips off the origin, of which one class prevails.
    moved = replace(features, values=features.values + 3, labels=np.maximum(features.labels, 1))
    mask, one = np.arange(30) < 3, np.ones(2)
    history = History(one, one, one, one, one, np.stack([mask, mask]), one, np.array([0.0, 3.0]))
    last = Population(mask[None], np.ones(1), np.ones(1), np.ones(1))
    selection = Selection(mask, 1.0, 3.0, 1.0, 1, history, last, last)
    rows = describe_generations(selection, moved, "s02", UNSCALED)
    expected = [
        (predict_held_out(moved, "s02", mask, 1.0, UNSCALED, bias=bias) == moved.only("s02").labels)
        for bias in (0.0, 3.0)
    ]
    assert [row.test_accuracy for row in rows] == [float(hits.mean()) for hits in expected]
    assert rows[0].test_accuracy != rows[1].test_accuracy


def test_weights_count_in_the_tables(features: Features) -> None:
    masks = np.stack([np.arange(30) < 6, np.arange(30) < 6])
    weights = np.where(masks, 1.0, 0.0)
    weights[1, :5] = 1e-6  # one feature is left, in effect
    ones, zeros = np.ones(2), np.zeros(2)
    counts = np.array([6, 6])
    history = History(ones, ones, ones, counts, counts, masks, ones, zeros)
    last = Population(masks[:1], ones[:1], zeros[:1], ones[:1], weights[1:])
    selection = Selection(masks[1], 1.0, 0.0, 1.0, 1, history, last, last, weights[1], weights)
    rows = describe_features(selection, features.names)
    assert [row.weight for row in rows] == weights[1].tolist()
    plain = describe_features(replace(selection, weights=None), features.names)
    assert [row.weight for row in plain] == [float(held) for held in masks[1]]
    labels = features.only("s02").labels
    found = describe_generations(selection, features, "s02", UNSCALED)
    for row, mask in zip(found, (masks[0], np.arange(30) == 5), strict=True):
        predicted = predict_held_out(features, "s02", mask, 1.0, UNSCALED)
        assert row.test_accuracy == (predicted == labels).mean()
        assert row.n_selected == 6
    assert found[0].test_accuracy != found[1].test_accuracy


TWO = replace(SETTINGS, objectives=("fitness", "n_features"))


def test_rows_of_a_front_have_its_accuracy_on_the_held_out_subject(features: Features) -> None:
    training = features.without("s02")
    fitness = SubjectFoldFitness(training.values, training.labels, training.subjects)
    selection = evolve(fitness, TWO, SerialCommunicator())
    front = selection.front
    assert front is not None
    rows = describe_front(selection, features, "s02", UNSCALED)
    assert [row.n_selected for row in rows] == front.masks.sum(axis=1).tolist()
    assert [row.fitness for row in rows] == front.fitness.tolist()
    assert [row.C for row in rows] == front.C.tolist()
    assert [row.chosen for row in rows] == [0] * (len(rows) - 1) + [1]
    held_out = features.only("s02").labels
    for row, mask in zip(rows, front.masks, strict=True):
        predicted = predict_held_out(features, "s02", mask, row.C, UNSCALED)
        assert row.test_accuracy == (predicted == held_out).mean()
    assert {row.test_accuracy for row in describe_front(selection, features, None, UNSCALED)} == {
        None
    }
    with pytest.raises(ValueError, match="a selection with a front expected"):
        describe_front(replace(selection, front=None), features, None, UNSCALED)


def test_a_front_is_written_and_refused_in_one_line_where_there_is_none(
    features: Features, tmp_path: Path
) -> None:
    table, selection = tmp_path / "table.npz", tmp_path / "selection.h5"
    np.savez(table, X=features.values, y=features.labels, group=features.subjects)
    quick = {"n_islands": 1, "n_individuals": 8, "n_random_migrants": 2, "n_generations": 2}
    tables = [tmp_path / f"{name}.csv" for name in ("features", "generations", "front")]
    for objectives in (["fitness", "n_features"], ["fitness"]):
        settings = json.dumps(quick | {"objectives": objectives})
        select_genetic.run(table, [selection], settings, held_out=["s03"])
        if len(objectives) == 2:
            describe_selection.run(table, selection, *tables[:2], front=tables[2])
            rows = read_rows(tables[2], FrontRow)
            assert [row.n_selected for row in rows] == sorted({row.n_selected for row in rows})
            assert rows[-1].chosen == 1
    for path in tables:
        path.unlink()
    with pytest.raises(
        MerecError, match=r"selection\.h5: a front expected .*, found none"
    ) as caught:
        describe_selection.run(table, selection, *tables[:2], front=tables[2])
    assert "\n" not in str(caught.value)
    assert not any(path.exists() for path in tables)
