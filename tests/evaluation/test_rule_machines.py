"""Rules decide on held-out clips: as they were learnt, named for what they read, and kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.commands import evaluate_folds, predict, select
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.scaling import STANDARD, UNSCALED
from merec_hpc.config.selection import AllFeaturesSettings, RuleSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.held_out import decider_decisions
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.evaluation.predictor import decisions_of, fit_machines
from merec_hpc.evaluation.rule_machines import RuleMachines, fit_rule_machines
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Features, Selection
from merec_hpc.selection.rule.learning import fit_rules
from merec_hpc.selection.selectors import select as select_by_name
from merec_hpc.selection.training_folds import fold_fitness
from merec_hpc.store.features import write_features

HELD_OUT = "s02"
QUICK = '{"C_values": [0.3, 3.0], "b_values": [0.0, 0.3], "p_values": [0.0, 1.0], "min_clips": 2}'
SETTINGS = RuleSettings(C_values=(0.3, 3.0), b_values=(0.0, 0.3), p_values=(0.0, 1.0), min_clips=2)


def chosen(features: Features, name: str = "rule") -> Selection:
    fitness, _ = fold_fitness(features, HELD_OUT, STANDARD, SETTINGS)
    return select_by_name(fitness, name, SETTINGS)


@pytest.mark.parametrize(("decider", "n_rules"), [("champion", 1), ("ensemble", 3)])
def test_the_decider_says_which_rules_decide(
    features: Features, decider: str, n_rules: int
) -> None:
    selection = chosen(features)
    found = decider_decisions(features, HELD_OUT, [selection], decider, STANDARD)  # type: ignore[arg-type]
    training, held = features.without(HELD_OUT), features.only(HELD_OUT)
    assert selection.rules is not None
    rules = selection.rules.take(slice(n_rules))
    fitted = fit_rules(training.values, training.labels, training.subjects, rules, 2)
    expected = fitted.decisions(held.values, held.subjects)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_rules_of_several_seeds_decide_together(features: Features) -> None:
    seeds = []
    for seed in (0, 1):
        fitness, _ = fold_fitness(features, HELD_OUT, STANDARD, SETTINGS)
        settings = replace(SETTINGS, seed=seed, n_generations=2)
        seeds.append(select_by_name(fitness, "rule_evolved", settings))
    found = decider_decisions(features, HELD_OUT, seeds, "ensemble", STANDARD)
    alone = [decider_decisions(features, HELD_OUT, [one], "ensemble", STANDARD) for one in seeds]
    np.testing.assert_allclose(found, np.mean(alone, axis=0), rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="one selection expected for champion, found 2"):
        decider_decisions(features, HELD_OUT, seeds, "champion", STANDARD)
    with pytest.raises(ValueError, match="a champion or an ensemble of rules expected"):
        decider_decisions(features, HELD_OUT, seeds[:1], "hall_of_fame", STANDARD)


def test_the_control_decides_by_rules_as_an_ensemble_alone(features: Features) -> None:
    fitness, _ = fold_fitness(features, HELD_OUT, STANDARD, AllFeaturesSettings())
    selection = select_by_name(fitness, "all_features", AllFeaturesSettings())
    training = features.without(HELD_OUT)
    kinds = {
        decider: type(fit_machines(training, [selection], decider, STANDARD))  # type: ignore[arg-type]
        for decider in ("champion", "hall_of_fame", "ensemble")
    }
    assert [kind is RuleMachines for kind in kinds.values()] == [False, False, True]


@pytest.mark.parametrize("scaling", [STANDARD, UNSCALED], ids=lambda one: one.text)
def test_inductive_rules_are_kept_as_a_predictor(features: Features, scaling: object) -> None:
    features.values[:, 7] = 3.0  # constant: of no weight
    training = features.without(HELD_OUT)
    rules = chosen(features, "rule_inductive").rules
    assert rules is not None
    machines = fit_rule_machines(training, rules, scaling)  # type: ignore[arg-type]
    kept = machines.as_predictor()
    held = features.only(HELD_OUT)
    held.values[:, 7] = 1e6
    found = decisions_of(kept, held.values)
    np.testing.assert_allclose(found, machines.decisions(held), rtol=1e-6, atol=1e-7)
    assert np.isfinite(kept.std).all()
    transductive = chosen(features).rules
    assert transductive is not None
    own = replace(transductive, genes=np.add(transductive.genes, [1.0, 0, 0, 0]))
    with pytest.raises(ValueError, match="found a transductive rule"):
        fit_rule_machines(training, own, STANDARD).as_predictor()


def evaluated(features: Features, folder: Path, method: str, decider: str) -> list[Prediction]:
    store, selection, output = (folder / name for name in ("f.h5", "s.h5", "p.csv"))
    write_features(store, features, FeatureSettings(), "0" * 64)
    settings = "{}" if method == "all_features" else QUICK
    select.run(store, method, [selection], settings, "standard", [HELD_OUT])
    evaluate_folds.run(store, [selection], output, decider=decider)
    return read_rows(output, Prediction)


@pytest.mark.parametrize(
    ("method", "decider", "name"),
    [
        ("rule", "champion", "rule (transductive)"),
        ("rule", "ensemble", "rule+ensemble (transductive)"),
        ("rule_inductive", "ensemble", "rule_inductive+ensemble"),
        ("all_features", "ensemble", "all_features+ensemble"),
        ("all_features", "champion", "all_features"),
    ],
)
def test_names_say_what_is_transductive_and_labels_held_out_change_nothing(
    features: Features, tmp_path: Path, method: str, decider: str, name: str
) -> None:
    rows = evaluated(features, tmp_path, method, decider)
    assert {row.method for row in rows} == {name}
    held = features.subjects == HELD_OUT
    labels = np.where(held, (features.labels + 1) % 3, features.labels)
    again = evaluated(replace(features, labels=labels), tmp_path, method, decider)
    assert [row.decisions for row in again] == [row.decisions for row in rows]
    values = features.values.copy()
    values[np.flatnonzero(held)[1:]] += 5
    other = evaluated(replace(features, values=values), tmp_path, method, decider)
    # Whether other clips count is for a rule that is transductive to say, if its kappa is not 0.
    if "transductive" not in name:
        assert other[0].decisions == rows[0].decisions
    elif decider == "ensemble":
        assert other[0].decisions != rows[0].decisions


def test_what_rules_cannot_do_is_refused_in_one_line(features: Features, tmp_path: Path) -> None:
    evaluated(features, tmp_path, "rule", "champion")
    store, selection, output = (tmp_path / name for name in ("f.h5", "s.h5", "p.csv"))
    with pytest.raises(MerecError, match="linear_svm without oversampling expected, since rules"):
        evaluate_folds.run(store, [selection], output, classifier="random_forest")
    with pytest.raises(MerecError, match="a champion or an ensemble of rules expected"):
        evaluate_folds.run(store, [selection], output, decider="hall_of_fame")
    with pytest.raises(MerecError, match=r"--save-predictor .*: rules of kappa 0 expected"):
        predict.run(store, output, [selection], "ensemble", tmp_path / "kept.h5")
    with pytest.raises(MerecError, match="a champion or an ensemble of rules expected"):
        predict.run(store, output, [selection], "hall_of_fame")
    scaling = "transductive_full,min_clips=2"
    with pytest.raises(MerecError, match="--scaling: none or standard expected for rule"):
        select.run(store, "rule", [selection], QUICK, scaling, [HELD_OUT])
