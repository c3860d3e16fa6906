"""What the jobs that are to run will take."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runs.made_up import make_up

from merec_hpc.config.evaluation import EvaluationSettings, Method
from merec_hpc.config.faces import ClipSettings, FaceSettings, InterpolationSettings
from merec_hpc.config.features import LbpTopSettings
from merec_hpc.config.selection import ForwardSettings, GeneticSettings
from merec_hpc.config.whole import Config
from merec_hpc.runs.extent import assumed_extent
from merec_hpc.runs.plan import RulePlan, make_plan

QUICK: Mapping[str, object] = {
    "features": {"extractor": "lbp_top"},
    "lbp_top": {"n_blocks": 1},
    "faces": {"size_px": 32},
    "genetic": {"n_generations": 2, "n_individuals": 4, "n_random_migrants": 1, "n_emigrants": 1},
}


def by_rule(rows: tuple[RulePlan, ...]) -> dict[str, RulePlan]:
    return {f"{row.rule} {row.part}".rstrip(): row for row in rows}


def test_what_is_done_costs_nothing_and_is_not_measured(tmp_path: Path) -> None:
    made = make_up(tmp_path, dict(QUICK))
    plan = make_plan(made.config, made.extent, n_ranks=2, folder=tmp_path)
    assert (plan.n_jobs, plan.core_hours, plan.disk_bytes, plan.peak_mb) == (0, 0, 0, 0)
    assert sum(row.n_done for row in plan.rules) == len(made.jobs)
    assert plan.notes == ()


def test_a_part_of_the_jobs_costs_its_part(tmp_path: Path) -> None:
    made = make_up(tmp_path, {**QUICK, "clips": {"keep": True, "format": "float16"}})
    (tmp_path / "results" / "small" / "clips" / "s02.h5").unlink()
    (tmp_path / "results" / "small" / "clips.tsv").unlink()
    # The features will be others: those that are there, without any content, are not measured on.
    rows = by_rule(make_plan(made.config, made.extent, n_ranks=2, folder=tmp_path).rules)
    assert (rows["interpolate_clips"].n_jobs, rows["interpolate_clips"].n_done) == (1, 4)
    # Three clips of 20 frames of 32 pixels, three colours, half precision.
    assert rows["interpolate_clips"].disk_bytes == 3 * 20 * 32 * 32 * 3 * 2
    assert rows["find_apexes"].n_jobs == 1
    assert rows["register_faces"].disk_bytes == 0
    assert rows["select_genetic"].n_jobs == 5
    assert rows["select_genetic"].n_cores == 2


def test_bytes_on_disk_follow_from_sizes() -> None:
    config = Config(
        faces=FaceSettings(size_px=100),
        interpolation=InterpolationSettings(n_frames=5),
        features=replace(Config().features, extractor="lbp_top"),
        lbp_top=LbpTopSettings(n_blocks=1),
        evaluation=EvaluationSettings(methods=(Method("all_features"),)),
    )
    extent = assumed_extent(config, 12, 4, 3, 30)
    rows = by_rule(make_plan(config, extent, n_ranks=1).rules)
    assert rows["register_faces"].disk_bytes == 12 * 30 * 100 * 100 * 3
    assert "interpolate_clips" not in rows
    kept = replace(config, clips=ClipSettings(keep=True))
    rows_kept = by_rule(make_plan(kept, extent, n_ranks=1).rules)
    assert rows_kept["interpolate_clips"].disk_bytes == 12 * 5 * 100 * 100 * 3
    n_features = 3 * 15  # uniform patterns of four neighbours on three planes
    assert rows["extract_features"].disk_bytes == 2 * 12 * n_features * 4
    assert "simulate" in rows
    assert "fetch_weights" in rows
    assert rows["all"].n_jobs == 1


def test_small_searches_are_told_that_few_ranks_are_enough(tmp_path: Path) -> None:
    made = make_up(tmp_path, dict(QUICK), without={"extract_features", "select_genetic"})
    said = make_plan(made.config, made.extent, n_ranks=16, folder=tmp_path).notes
    assert any("--ranks 2 here, tasks: 2 in the profile" in note for note in said)
    said = make_plan(made.config, made.extent, n_ranks=2, folder=tmp_path).notes
    assert not any("--ranks 2" in note for note in said)


def test_methods_that_are_scored_differently_are_named() -> None:
    methods = (Method("fisher"), Method("forward"))
    config = Config(
        features=replace(Config().features, extractor="lbp_top"),
        lbp_top=LbpTopSettings(n_blocks=1),
        evaluation=EvaluationSettings(methods=methods),
        forward=ForwardSettings(n_steps=2, criterion="mu"),
    )
    extent = assumed_extent(config, 12, 4, 3, 30)
    (said,) = make_plan(config, extent, n_ranks=1).notes
    assert said == (
        "methods are scored differently on the inner folds: criterion: mu_minus_variance of "
        "fisher; mu of forward"
    )


def test_many_clips_are_measured_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("merec_hpc.runs.plan.MOST_CLIPS", 30)
    config = Config(
        features=replace(Config().features, extractor="lbp_top"),
        lbp_top=LbpTopSettings(n_blocks=1),
        genetic=GeneticSettings(n_generations=1),
        evaluation=EvaluationSettings(methods=(Method("genetic"),)),
    )
    extent = assumed_extent(config, 90, 5, 3, 10)
    plan = make_plan(config, extent, n_ranks=1)
    assert any(note.startswith("measured on 30 of 72 clips") for note in plan.notes)
    assert np.isfinite(plan.core_hours)


def test_searches_of_groups_are_planned_with_and_without_features(tmp_path: Path) -> None:
    search = {**QUICK["genetic"], "genome": "weights"}  # type: ignore[dict-item]
    asked = {**QUICK, "genetic": search, "inner": {"unit": "cell"}}
    made = make_up(tmp_path, asked, without={"extract_features", "select_genetic", "select"})
    plan = make_plan(made.config, made.extent, n_ranks=1, folder=tmp_path)
    (note,) = [note for note in plan.notes if "groups" in note]
    assert note == "groups of features (unit cell) are made up, of 32 each"
    assert by_rule(plan.rules)["select_genetic"].minutes > 0
