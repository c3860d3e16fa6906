"""Tables of paper 1: its numbers as printed, ours from what is given."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merec_hpc.commands import paper_tables as command
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.files.rows import write_rows
from merec_hpc.papers.paper1_protocols import predict_by_protocol
from merec_hpc.papers.paper1_tables import (
    DATABASES,
    TITLES,
    Database,
    Searches,
    Stores,
    TableRow,
    normalise,
    paper_tables,
    sort_stores,
)
from merec_hpc.records import Features
from merec_hpc.selection.selectors import SELECTORS
from merec_hpc.store.features import write_features

STEM = "mobilenet_v2/features.18"


def named(features: Features, *statistics: str) -> Features:
    """Give the features names, in blocks of one statistic each."""
    size = len(features.names) // len(statistics)
    names = [f"{STEM}/{channel}/mean/mean/{name}" for name in statistics for channel in range(size)]
    return replace(features, names=np.array(names))


@pytest.fixture
def deep(features: Features) -> Features:
    return named(features, "temporal_mean", "temporal_std")


@pytest.fixture
def lbp_top(features: Features) -> Features:
    names = np.array([f"lbp_top/0/0/xy/{number}" for number in range(30)])
    return replace(features, values=np.abs(features.values), names=names)


def predictions(features: Features, method: str, n_right: int, seed: int = 0) -> list[Prediction]:
    """Predict the first clips rightly."""
    classes = features.class_names.tolist()
    return [
        Prediction(
            method,
            "linear_svm",
            seed,
            str(subject),
            str(subject),
            str(clip),
            classes[label],
            classes[label if place < n_right else (label + 1) % 3],
        )
        for place, (subject, clip, label) in enumerate(
            zip(features.subjects, features.clips, features.labels, strict=True)
        )
    ]


def tables(
    stores: Stores | None = None, searches: Searches | None = None, database: Database = "other"
) -> list[TableRow]:
    return list(paper_tables(stores or Stores(), searches or Searches(), database))


def of(rows: Sequence[TableRow], table: str, row: str = "") -> list[TableRow]:
    return [found for found in rows if found.table == table and row in found.row]


def percent(rows: Sequence[Prediction]) -> float:
    return 100 * float(np.mean([row.label == row.predicted for row in rows]))


def test_numbers_are_those_that_the_paper_prints() -> None:
    rows = tables(database="vis")
    assert [row.paper for row in of(rows, "II")[::2]] == [28, 32, 22, 22, 32, 21]
    assert [row.paper for row in of(rows, "III")[::2]] == [38, 47, 49, 47, 78, 77, 73, 77, 84]
    assert [row.paper for row in of(rows, "IV")] == [43, 52, 47, 50, 40, 70, None, None]
    assert [row.paper for row in of(rows, "VII")] == [56.3, 49.3, 46.1, 56.3, 53.6, 47.3]
    assert [row.paper for row in of(rows, "VIII")] == [29.5, None, 56.3, 53.6]
    assert [row.paper for row in of(rows, "IX")] == [56.3, 53.6, 47.3, 52, 48, 38, None, 64, 59]
    assert [row.database for row in of(rows, "IX")] == ["vis", "hs", "casme2"] * 3


@pytest.mark.parametrize("database", DATABASES)
def test_nothing_of_ours_is_there_before_it_was_run(database: Database) -> None:
    rows = tables(database=database)
    assert list(dict.fromkeys(row.table for row in rows)) == list(TITLES)
    for row in rows:
        assert row.ours is None
        assert row.remark.startswith("not run: ")


def test_methods_of_table_iv_are_our_selectors() -> None:
    assert {row.method for row in of(tables(), "IV")} <= set(SELECTORS)


def test_accuracies_of_statistics_are_those_of_the_protocols(deep: Features) -> None:
    rows = tables(sort_stores({"a.h5": deep}), database="vis")
    std = replace(deep, values=deep.values[:, 15:], names=deep.names[15:])
    for row in of(rows, "III", "LDA on unnormalized temporal standard deviation"):
        assert row.features == "temporal_std"
        assert row.ours == percent(predict_by_protocol(std, row.method))
    for row in of(rows, "II", "Unnormalized temporal features"):
        assert row.features == "temporal_mean+temporal_std"
        assert row.ours == percent(predict_by_protocol(deep, row.method))
    for row in of(rows, "II", "Normalized temporal features"):
        unit = np.concatenate([normalise(deep.values[:, :15]), normalise(std.values)], axis=1)
        found = predict_by_protocol(replace(deep, values=unit), row.method)
        assert row.ours == percent(found)


def test_rows_of_statistics_say_whether_they_leak(deep: Features) -> None:
    rows = tables(sort_stores({"a.h5": deep}), database="vis")
    made = [row for row in rows if row.ours is not None]
    assert len(made) == 2 * (2 + 3 + 3)
    for row in made:
        assert row.remark.startswith("leaky: ") == row.method.startswith("leaky_")
        assert (row.remark == "honest") == (not row.method.startswith("leaky_"))
    leaky = of(made, "III", "Global LDA on unnormalized temporal mean")
    assert [row.remark for row in leaky] == [
        "leaky: LDA has seen test clips, C by test accuracy, as the paper did",
        "leaky: LDA has seen test clips",
    ]
    assert of(made, "II")[0].remark == "leaky: C by test accuracy, as the paper did"


def test_statistics_that_are_missing_are_named(deep: Features) -> None:
    rows = tables(sort_stores({"a.h5": deep}))
    for table, row, wanted in (
        ("II", "Normalized spatial features", "spatial_mean+spatial_std"),
        (
            "III",
            "LDA on unnormalized spatiotemporal",
            "spatial_mean+spatial_std+temporal_mean+temporal_std",
        ),
        ("III", "variance", "temporal_variance"),
    ):
        for found in of(rows, table, row):
            assert found.ours is None
            assert found.features == wanted
            assert found.remark == "not run: no store of these features"


def test_statistics_come_from_several_stores(features: Features) -> None:
    stores = sort_stores(
        {
            "mean.h5": named(features, "temporal_mean"),
            "spatial.h5": named(features, "spatial_mean", "spatial_variance"),
            "variance.h5": named(features, "temporal_variance"),
        }
    )
    assert stores.network == STEM
    (row, _) = of(tables(stores), "II", "Unnormalized spatiotemporal features")
    # No standard deviations: variances stand for them.
    assert row.features == "spatial_mean+spatial_variance+temporal_mean+temporal_variance"
    assert row.ours is not None


def test_statistics_over_places_and_frames_at_once_have_no_part_in_a_table(
    features: Features,
) -> None:
    names = ("spatiotemporal_std", "temporal_mean", "temporal_std")
    stores = sort_stores({"features.h5": named(features, *names)})
    rows = of(tables(stores), "II", "Unnormalized spatiotemporal features")
    assert {row.remark for row in rows} == {"not run: no store of these features"}
    (row, _) = of(tables(stores), "II", "Unnormalized temporal features")
    assert row.features == "temporal_mean+temporal_std"


def test_other_data_than_the_papers_are_called_so(deep: Features) -> None:
    rows = tables(sort_stores({"a.h5": deep}), database="hs")
    assert of(rows, "III", "temporal mean")[1].remark == "honest; paper on vis, ours on hs"


def test_accuracies_of_searches_stand_in_the_rows_of_their_database(features: Features) -> None:
    searches = Searches(
        own=predictions(features, "genetic", 12) + predictions(features, "stable_sfs", 6),
        mu=predictions(features, "genetic", 18),
        expression=predictions(features, "genetic", 24),
    )
    rows = tables(searches=searches, database="hs")
    made = [row for row in rows if row.ours is not None]
    assert [(row.table, row.row, row.database, row.ours) for row in made] == [
        ("IV", "Stable SFS", "vis", 25),
        ("IV", "Genetic algorithm (not in the paper's table)", "hs", 50),
        ("VII", "mu", "hs", 75),
        ("VII", "mu - sigma^2", "hs", 50),
        ("VIII", "Object", "hs", 50),
        ("VIII", "FE", "hs", 100),
        ("IX", "Our approach", "hs", 50),
    ]
    assert made[0].remark == "honest, 4 folds; paper on vis, ours on hs"
    assert made[2].remark == "honest, 4 folds"


def test_other_data_have_rows_of_their_own_without_a_number_of_the_paper(
    features: Features,
) -> None:
    rows = tables(searches=Searches(own=predictions(features, "genetic", 12)))
    made = [row for row in rows if row.ours is not None and row.table != "IV"]
    assert [(row.table, row.database, row.paper) for row in made] == [
        ("VII", "other", None),
        ("VIII", "other", None),
        ("IX", "other", None),
    ]


def test_seeds_are_averaged_and_other_classifiers_left_out(features: Features) -> None:
    forest = [
        replace(row, classifier="random_forest") for row in predictions(features, "genetic", 24)
    ]
    seeds = [row for seed in range(2) for row in predictions(features, "genetic", 6 + seed, seed)]
    (row,) = of(tables(searches=Searches(own=forest + seeds)), "IV", "Genetic")
    assert row.ours == pytest.approx(100 * 13 / 48)
    assert row.remark == "honest, 4 folds, mean of 2 seeds"


def test_what_read_other_clips_of_its_subject_is_called_transductive(
    features: Features, lbp_top: Features
) -> None:
    own = [
        replace(row, method=f"{row.method} (transductive)")
        for row in predictions(features, "genetic", 12)
    ]
    (row,) = of(tables(searches=Searches(own=own)), "IV", "Genetic")
    assert (row.ours, row.remark) == (50.0, "honest, 4 folds; transductive")
    both = own + predictions(features, "genetic", 6)
    (row,) = of(tables(searches=Searches(own=both)), "IV", "Genetic")
    assert (row.ours, row.remark) == (25.0, "honest, 4 folds")
    known = replace(lbp_top, names=np.char.add(lbp_top.names, " (transductive)"))
    rows = tables(sort_stores({"lbp.h5": known}), database="hs")
    (row,) = [row for row in rows if row.ours is not None]
    assert row.remark == "honest; transductive"


def test_folds_of_casme2_in_the_paper_are_named(features: Features) -> None:
    searches = Searches(own=predictions(features, "genetic", 12))
    (row,) = [row for row in of(tables(searches=searches, database="casme2"), "VII") if row.ours]
    assert row.remark == "honest, 4 folds; paper: 4 folds"


def test_lbp_top_is_told_by_its_names(features: Features, lbp_top: Features) -> None:
    stores = sort_stores({"lbp.h5": lbp_top})
    assert stores.lbp_top is not None
    assert not stores.statistics
    (row,) = [row for row in tables(stores, database="hs") if row.ours is not None]
    assert (row.table, row.row, row.database, row.paper) == ("IX", "LBP-TOP (baseline)", "hs", 48)
    assert row.ours == percent(predict_by_protocol(lbp_top, "all_features"))
    assert row.remark == "honest"


def test_clips_of_unit_length() -> None:
    found = normalise(np.array([[3, 4], [0, 0]], np.float32))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0]])


def test_stores_that_do_not_fit_are_refused(features: Features, deep: Features) -> None:
    with pytest.raises(MerecError, match=r"b: other statistics than those of a expected, found te"):
        sort_stores({"a": deep, "b": deep})
    with pytest.raises(MerecError, match="b: the clips and labels of a expected, found others"):
        sort_stores({"a": deep, "b": named(features.without("s02"), "spatial_mean")})
    other = named(features, "spatial_mean")
    other = replace(other, names=np.char.replace(other.names, "features.18", "features.17"))
    with pytest.raises(MerecError, match=f"b: features of {STEM} expected, found .*17"):
        sort_stores({"a": deep, "b": other})
    with pytest.raises(MerecError, match=r"a: features named .* expected, found 'feature00'"):
        sort_stores({"a": features})


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def store(deep: Features, tmp_path: Path) -> Path:
    write_features(tmp_path / "features.h5", deep, FeatureSettings(), "0" * 64)
    return tmp_path / "features.h5"


def test_command_writes_and_prints_each_table(
    deep: Features, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = store.with_name("predictions.csv")
    write_rows(found, Prediction, predictions(deep, "genetic", 12))
    folder = store.with_name("tables")
    command.run(folder, [store], found, database="vis")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"table_{name}.csv" for name in TITLES
    )
    (row,) = [row for row in _rows(folder / "table_IX.csv") if row["ours"]]
    assert (row["paper"], row["ours"], row["features"]) == ("56.3", "50.0", STEM)
    shown = capsys.readouterr().out
    for name, title in TITLES.items():
        assert f"Table {name}: {title} (accuracy, %)" in shown
    assert "majority class: 33.3 %" in shown


def test_command_refuses_normalised_features(deep: Features, store: Path) -> None:
    write_features(store, deep, FeatureSettings(normalised=True), "0" * 64)
    with pytest.raises(MerecError, match=r"features.h5: features.normalised false expected"):
        command.run(store.with_name("tables"), [store])


def test_command_takes_predictions_alone(deep: Features, tmp_path: Path) -> None:
    found = tmp_path / "predictions.csv"
    write_rows(found, Prediction, predictions(deep, "local_greedy", 18))
    command.run(tmp_path / "tables", predictions=found)
    (row,) = [row for row in _rows(tmp_path / "tables" / "table_IV.csv") if row["ours"]]
    assert (row["method"], row["paper"], row["ours"]) == ("local_greedy", "70.0", "75.0")


def test_command_names_mistakes(deep: Features, store: Path) -> None:
    output = store.with_name("tables")
    with pytest.raises(MerecError, match="--store or --predictions expected, found neither"):
        command.run(output)
    with pytest.raises(MerecError, match="--database: one of vis, hs, casme2, other expected"):
        command.run(output, [store], database="smic")
    found = store.with_name("predictions.csv")
    write_rows(found, Prediction, predictions(deep.without("s02"), "genetic", 12))
    with pytest.raises(MerecError, match=r"--predictions .*: the clips of .* expected, found"):
        command.run(output, [store], found)
    write_rows(found, Prediction, [])
    with pytest.raises(MerecError, match=r"--mu-predictions .*: predictions expected, found none"):
        command.run(output, mu_predictions=found)
    two = store.with_name("two.h5")
    write_features(two, deep.without("s01").without("s02"), FeatureSettings(), "0" * 64)
    with pytest.raises(MerecError, match=r"--store .*two.h5: at least two subjects expected"):
        command.run(output, [two])
