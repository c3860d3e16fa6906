"""From a selection to predictions of clips, and from predictions to their scores."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.commands import (
    collect_predictions,
    evaluate_blocks,
    evaluate_folds,
    export,
    import_table,
    predict,
    run_permutation,
    score,
    select,
)
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.files.rows import read_rows
from merec_hpc.metrics import METRICS
from merec_hpc.papers.paper1_protocols import predict_by_protocol
from merec_hpc.records import Features
from merec_hpc.store.features import Block, write_features, write_view
from merec_hpc.store.selection import read_selection, write_selection

HELD_OUT = "s02"


@pytest.fixture
def store(features: Features, tmp_path: Path) -> Path:
    write_features(tmp_path / "features.h5", features, FeatureSettings(), "0" * 64)
    return tmp_path / "features.h5"


@pytest.fixture
def selection(store: Path) -> Path:
    return _select(store, HELD_OUT, 0)


def _select(store: Path, held_out: str | None, seed: int) -> Path:
    output = store.with_name(f"{held_out}_{seed}.h5")
    settings = json.dumps({"n_masks": 6, "seed": seed})
    select.run(
        store, "random_masks", [output], settings, "standard", [held_out] if held_out else None
    )
    return output


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("decider", ["champion", "hall_of_fame", "ensemble"])
def test_held_out_clips_are_predicted_as_in_the_evaluation(
    store: Path, selection: Path, decider: str
) -> None:
    folder = store.parent
    predict.run(store, folder / "clips.csv", [selection], decider)
    evaluate_folds.run(store, [selection], folder / "fold.csv", decider=decider)
    expected = read_rows(folder / "fold.csv", Prediction)
    found = _rows(folder / "clips.csv")
    assert [row["clip"] for row in found] == [row.clip for row in expected]
    assert [row["predicted"] for row in found] == [row.predicted for row in expected]
    method = "random_masks" + ("" if decider == "champion" else f"+{decider}")
    assert {row.method for row in expected} == {method}


def test_kept_predictor_predicts_the_same(store: Path, selection: Path) -> None:
    folder = store.parent
    kept = folder / "predictor.h5"
    predict.run(store, folder / "own.csv", [selection], "ensemble", save_predictor=kept)
    predict.run(store, folder / "all.csv", predictor=kept)
    everyone = {row["clip"]: row for row in _rows(folder / "all.csv")}
    assert len(everyone) == 24
    assert all(everyone[row["clip"]] == row for row in _rows(folder / "own.csv"))


def test_seeds_decide_together(store: Path) -> None:
    folder = store.parent
    several = [_select(store, None, seed) for seed in (0, 1)]
    predict.run(store, folder / "both.csv", several, "ensemble")
    predict.run(store, folder / "one.csv", several[:1], "ensemble")
    both, one = _rows(folder / "both.csv"), _rows(folder / "one.csv")
    assert len(both) == 24
    assert [row["decision"] for row in both] != [row["decision"] for row in one]


def test_seeds_decide_together_of_each_fold(store: Path) -> None:
    folder = store.parent
    several = [_select(store, fold, seed) for fold in ("s01", "s02") for seed in (0, 1)]
    evaluate_folds.run(store, several, folder / "folds.csv", decider="ensemble")
    rows = read_rows(folder / "folds.csv", Prediction)
    assert [row.fold for row in rows] == ["s01"] * 6 + ["s02"] * 6
    predict.run(store, folder / "clips.csv", several[2:], "ensemble")
    found = [(row["clip"], row["predicted"]) for row in _rows(folder / "clips.csv")]
    assert found == [(row.clip, row.predicted) for row in rows[6:]]
    with pytest.raises(MerecError, match="one selection of fold 's01' expected for champion"):
        evaluate_folds.run(store, several, folder / "folds.csv")


def test_transductive_methods_say_so_and_keep_no_predictor(store: Path) -> None:
    folder = store.parent
    selected, kept = folder / "selected.h5", folder / "predictor.h5"
    given = "transductive_full,min_clips=2"
    select.run(store, "random_masks", [selected], '{"n_masks": 6}', given, [HELD_OUT])
    predict.run(store, folder / "clips.csv", [selected], "ensemble")
    evaluate_folds.run(store, [selected], folder / "fold.csv", decider="ensemble")
    rows = read_rows(folder / "fold.csv", Prediction)
    assert {row.method for row in rows} == {"random_masks+ensemble (transductive)"}
    assert [row["predicted"] for row in _rows(folder / "clips.csv")] == [
        row.predicted for row in rows
    ]
    with pytest.raises(MerecError, match=f"scaling none or standard expected, found {given}"):
        predict.run(store, folder / "clips.csv", [selected], save_predictor=kept)
    assert not kept.exists()
    score.run(folder / "fold.csv", folder / "scores.csv", method=rows[0].method)
    assert _rows(folder / "scores.csv")[0]["method"] == rows[0].method


@pytest.mark.parametrize("form", ["store", "table.csv", "imported"])
def test_methods_on_transductive_features_say_so_everywhere(
    features: Features, store: Path, tmp_path: Path, form: str
) -> None:
    store = _beside_transductive(features, store)
    if form != "store":
        export.run(store, tmp_path / "table.csv")
        store = tmp_path / "table.csv"
    if form == "imported":
        import_table.run(store, tmp_path / "imported.h5")
        store = tmp_path / "imported.h5"
    settings = json.dumps({"n_masks": 6})
    selected = tmp_path / "selected.h5"
    select.run(store, "random_masks", [selected], settings, "standard", [HELD_OUT])
    evaluate_folds.run(store, [selected], tmp_path / "fold.csv")
    run_permutation.run(store, "random_masks", [0], tmp_path / "runs.csv", settings)
    found = {row["method"] for name in ("fold", "runs") for row in _rows(tmp_path / f"{name}.csv")}
    assert found == {"random_masks (transductive)"}
    if form != "table.csv":  # a stage of the workflow, which has stores
        collected, chosen = tmp_path / "collected.csv", tmp_path / "chosen.csv"
        collect_predictions.run(store, [tmp_path / "fold.csv"], [selected], collected, chosen)
        assert {row["method"] for row in _rows(chosen)} == found


def test_of_several_blocks_the_transductive_ones_say_so(
    features: Features, store: Path, tmp_path: Path
) -> None:
    store = _beside_transductive(features, store)
    alone = tmp_path / "alone.csv"
    evaluate_blocks.run(store, [HELD_OUT], "{}", alone, tmp_path / "shares.csv")
    assert {row["method"] for row in _rows(alone)} == {"plain", "known (transductive)"}


def test_protocols_of_the_paper_say_that_features_are_transductive(features: Features) -> None:
    renamed = replace(features, names=np.char.add("network (transductive)/", features.names))
    found = predict_by_protocol(renamed, "lda", subjects=[HELD_OUT])
    assert {row.method for row in found} == {"lda (transductive)"}


def _beside_transductive(features: Features, store: Path) -> Path:
    """Write a view of a store and of its features under transductive names."""
    renamed = replace(features, names=np.char.add("network (transductive)/", features.names))
    known, view = store.with_name("known.h5"), store.with_name("view.h5")
    write_features(known, renamed, FeatureSettings(), "0" * 64)
    write_view(view, [Block("plain", store), Block("known", known)])
    return view


def test_selections_of_one_scaling_are_told_from_those_of_another(store: Path) -> None:
    paths = []
    for seed, kappa in enumerate(("", ",kappa=1", ",kappa=2.0")):
        paths.append(store.with_name(f"{seed}.h5"))
        settings = json.dumps({"n_masks": 4, "seed": seed})
        scaling = f"transductive_shrunk{kappa}"
        select.run(store, "random_masks", paths[-1:], settings, scaling, [HELD_OUT])
    output = store.with_name("clips.csv")
    predict.run(store, output, paths[:2], "ensemble")  # the same, written in two ways
    with pytest.raises(MerecError, match=r"min_clips=3,kappa=1\.0, expected, found .*kappa=2\.0"):
        predict.run(store, output, paths[1:], "ensemble")


def test_file_of_a_scaling_that_is_unknown_is_named(
    store: Path, selection: Path, features: Features
) -> None:
    chosen, origin = read_selection(selection)
    write_selection(selection, chosen, replace(origin, scaling="standart"))
    for run in (predict.run, evaluate_folds.run):
        output = store.with_name("clips.csv")
        with pytest.raises(MerecError, match=r"s02_0\.h5: .* did you mean 'standard'"):
            run(store, *((output, [selection]) if run is predict.run else ([selection], output)))


def test_mistakes_are_named(store: Path, selection: Path) -> None:
    output = store.with_name("clips.csv")
    with pytest.raises(MerecError, match="either --selection or --predictor expected"):
        predict.run(store, output)
    with pytest.raises(MerecError, match="--decider: one of champion, hall_of_fame, ensemble"):
        predict.run(store, output, [selection], "best")
    with pytest.raises(
        MerecError, match="by random_masks without 's02', scaling standard, expected"
    ):
        predict.run(store, output, [selection, _select(store, "s03", 0)], "ensemble")
    with pytest.raises(MerecError, match="one selection expected for champion, found 2"):
        predict.run(store, output, [selection, _select(store, HELD_OUT, 1)])
    with pytest.raises(MerecError, match="a selection of another seed expected, found 0 again"):
        predict.run(store, output, [selection, selection], "ensemble")


def test_fold_that_the_store_has_not_is_refused(
    features: Features, store: Path, selection: Path
) -> None:
    other = store.with_name("other.h5")
    write_features(other, features.without(HELD_OUT), FeatureSettings(), "0" * 64)
    with pytest.raises(MerecError, match=r"other\.h5: subject 's02' expected, found s01, s03"):
        predict.run(other, store.with_name("clips.csv"), [selection])


def test_predictor_of_other_features_is_refused(
    features: Features, store: Path, selection: Path
) -> None:
    kept = store.with_name("predictor.h5")
    predict.run(store, store.with_name("a.csv"), [selection], save_predictor=kept)
    renamed = Features(**{**vars(features), "names": np.char.add("x", features.names)})
    other = store.with_name("other.h5")
    write_features(other, renamed, FeatureSettings(), "0" * 64)
    with pytest.raises(MerecError, match="the 30 features of the predictor expected"):
        predict.run(other, store.with_name("b.csv"), predictor=kept)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classifier": "tree"}, "--classifier: one of linear_svm, random_forest expected"),
        ({"oversampling": "all"}, "--oversampling: one of none, smote expected"),
        ({"decider": "x"}, "--decider: one of champion, hall_of_fame, ensemble expected"),
        (
            {"decider": "ensemble", "classifier": "random_forest"},
            "--decider ensemble: linear_svm without oversampling expected",
        ),
    ],
)
def test_evaluation_names_what_it_does_not_know(
    store: Path, selection: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(MerecError, match=message):
        evaluate_folds.run(store, [selection], store.with_name("fold.csv"), **options)


def test_forest_and_smote_predict_the_held_out_clips(store: Path, selection: Path) -> None:
    output = store.with_name("fold.csv")
    evaluate_folds.run(store, [selection], output, "random_forest", "smote")
    rows = read_rows(output, Prediction)
    assert {row.classifier for row in rows} == {"random_forest"}
    assert len(rows) == 6


def _composite(path: Path) -> Path:
    lines = ["method,classifier,seed,fold,subject,clip,label,predicted"]
    for method in ("all_features", "genetic"):
        for subject in ("smic_s01", "smic_s02", "casme2_sub01", "samm_006"):
            for clip, label in enumerate(("negative", "positive", "surprise")):
                wrong = method == "all_features" and clip == 2
                found = "negative" if wrong else label
                name = f"{subject}_{clip}"
                lines.append(f"{method},linear_svm,0,{subject},{subject},{name},{label},{found}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_scores_are_of_all_clips_and_of_each_database(tmp_path: Path) -> None:
    predictions = _composite(tmp_path / "predictions.csv")
    score.run(predictions, tmp_path / "scores.csv", tmp_path / "comparison.csv")
    rows = _rows(tmp_path / "scores.csv")
    assert [(row["database"], row["method"]) for row in rows] == [
        (database, method)
        for database in ("all", "smic", "casme2", "samm")
        for method in ("all_features", "genetic")
    ]
    assert [row["n_clips"] for row in rows] == ["12", "12", "6", "6", "3", "3", "3", "3"]
    assert [float(row["accuracy"]) for row in rows[:2]] == [pytest.approx(2 / 3), 1.0]
    compared = _rows(tmp_path / "comparison.csv")
    assert [row["metric"] for row in compared] == list(METRICS)
    assert float(compared[0]["difference"]) == pytest.approx(1 / 3)


def test_log_scores_as_the_predictions_do(tmp_path: Path) -> None:
    predictions = _composite(tmp_path / "predictions.csv")
    log, scores = tmp_path / "megc.txt", [tmp_path / f"{name}.csv" for name in ("a", "b")]
    score.run(predictions, scores[0], method="all_features", megc_log=log)
    assert log.read_text().startswith("smic s01\ns01_0 0 0\ns01_1 1 1\ns01_2 2 0\n\n")
    score.run(log, scores[1])
    one, other = (_rows(path) for path in scores)
    for before, after in zip(one, other, strict=True):
        for key in ("database", "n_clips", "n_subjects", "accuracy", "UF1", "UAR", "F1_weighted"):
            assert before[key] == after[key]


def test_log_is_of_one_method(tmp_path: Path) -> None:
    predictions = _composite(tmp_path / "predictions.csv")
    with pytest.raises(MerecError, match=r"one method expected .*, found all_features, genetic"):
        score.run(predictions, megc_log=tmp_path / "megc.txt")
    with pytest.raises(MerecError, match="predictions of forward expected, found none"):
        score.run(predictions, method="forward")


def test_clip_that_is_predicted_twice_is_refused(tmp_path: Path) -> None:
    predictions = _composite(tmp_path / "predictions.csv")
    text = predictions.read_text()
    predictions.write_text(text + text.splitlines()[-1] + "\n")
    with pytest.raises(MerecError, match="each clip once expected of genetic, found"):
        score.run(predictions)


def test_options_of_score_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    predictions = _composite(tmp_path / "predictions.csv")
    with pytest.raises(MerecError, match="--reference: --comparison expected with it"):
        score.run(predictions, reference="genetic")
    with pytest.raises(MerecError, match=r"expected, found none; did you mean 'genetic'\?"):
        score.run(predictions, method="genetik")
