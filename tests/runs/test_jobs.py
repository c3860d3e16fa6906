"""The jobs of an experiment, held against those that Snakemake itself plans."""

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from runs.made_up import MadeUp, make_up
from workflow.small import planned_counts

from merec_hpc.runs.plan import asked_mb
from merec_hpc.runs.remaining import job_states
from merec_hpc.selection.selectors import SELECTORS

SWEEP = {
    "networks": ["mobilenet_v2"],
    "seeds": [0, 1, 2],
    "layers": ["features.14", "features.18"],
    "criteria": ["mu", "minimum"],
}
BLOCKS = [
    {"extractor": "flow"},
    {"extractor": "network", "settings": {"statistics": ["apex_difference"]}, "weight": 0.5},
]
EVERYTHING = [*SELECTORS, "genetic+ensemble", "genetic+hall_of_fame", "fisher+ensemble"]
LONGER = pytest.mark.longer
DONE = {"simulate", "index_dataset", "register_faces", "collect_failures"}


def dry_run(made: MadeUp, *targets: str) -> subprocess.CompletedProcess[str]:
    command = ["snakemake", "--cores", "2", "--configfile", "own.yaml", "--dry-run", "--", *targets]
    return subprocess.run(
        command, cwd=made.folder, capture_output=True, text=True, check=False, timeout=600
    )


def due(made: MadeUp) -> Counter[str]:
    """Return how many jobs of each rule are to run."""
    states = job_states(made.jobs, made.folder)
    together = zip(made.jobs, states, strict=True)
    return Counter(job.rule for job, state in together if state != "done")


def rules_but(*names: str) -> set[str]:
    """Return all rules that come after those of the dataset, except some."""
    later = {
        "find_apexes",
        "interpolate_clips",
        "extract_features",
        "join_features",
        "evaluate_blocks",
        "select",
        "select_genetic",
        "evaluate_folds",
        "collect_predictions",
        "run_permutation",
        "render_report",
        "fetch_weights",
        "sweep_extract_features",
        "sweep_select_genetic",
        "sweep_evaluate_folds",
        "sweep_evaluate_seeds",
        "collect_sweep",
    }
    return later - set(names)


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("changes", "kept", "sweep"),
    [
        ({"evaluation": {"methods": EVERYTHING}}, (), False),
        (
            {
                "evaluation": {"methods": ["all_features", "genetic"], "protocol": "subject_folds"},
                "permutation": {
                    "n_permutations": 50,
                    "methods": ["fisher", "genetic+ensemble"],
                    "permutations_per_job": 20,
                },
            },
            ("fetch_weights", "find_apexes"),
            False,
        ),
        (
            {
                "dataset": "manifest",
                "dataset_root": "data",
                "evaluation": {
                    "protocol": "official_split",
                    "methods": ["ant_colony"],
                    "classifier": "random_forest",
                },
            },
            (),
            False,
        ),
        pytest.param({"features": {"extractor": "lbp_top"}, "faces": {"registration": "none"}}, (), False, marks=LONGER),
            pytest.param({"features": {"blocks": BLOCKS}}, ("find_apexes",), False, marks=LONGER),
            ({"features": {"blocks": BLOCKS}}, sorted(rules_but("join_features")), False),
            pytest.param({"clips": {"keep": True}, "features": {"extractor": "network"}}, (), False, marks=LONGER),
        pytest.param({"faces": {"landmarks": "dlib"}}, ("find_apexes", "extract_features"), False, marks=LONGER),
        # Everything is there: nothing is to be done.
        ({"permutation": {"n_permutations": 3}}, sorted(rules_but()), False),
        # What follows from a selection, and the report alone.
        ({}, sorted(rules_but("select_genetic")), False),
        pytest.param({}, sorted(rules_but("render_report")), False, marks=LONGER),
        ({"sweep": SWEEP}, (), True),
        (
            {"sweep": {"statistics": [["mean"], ["std", "mean"]]}, "features": {"extractor": "network", "layer": "features.2"}},
            ("fetch_weights", "find_apexes", "sweep_extract_features"),
            True,
        ),
        (
            {"sweep": {"seeds": [3, 4], "networks": ["mobilenet_v2"]}, "evaluation": {"methods": ["genetic"], "oversampling": "smote"}},
            ("fetch_weights", "find_apexes", "sweep_extract_features"),
            True,
        ),
    ],
)  # fmt: skip
def test_as_many_jobs_of_each_rule_are_due_as_snakemake_plans(
    tmp_path: Path, changes: dict[str, object], kept: tuple[str, ...], sweep: bool
) -> None:
    if "dataset_root" in changes:
        changes = {**changes, "dataset_root": str(tmp_path / "data")}
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "manifest.csv").touch()  # that it is there is checked before any job
    made = make_up(tmp_path, changes, sweep=sweep, without=rules_but(*kept))
    planned = dry_run(made, *["sweep"] * sweep)
    assert planned_counts(planned) == due(made)
    said = planned.stdout + planned.stderr
    for rule, megabytes in re.findall(
        r"^rule (\w+):.*?resources: mem_mb=(\d+)", said, re.MULTILINE | re.DOTALL
    ):
        job = next(job for job in made.jobs if job.rule == rule)
        if not job.is_local and rule != "select":
            assert asked_mb(made.config, job, 2) == int(megabytes), rule


@pytest.mark.workflow
def test_single_files_that_are_gone_or_newer_are_told_as_snakemake_tells(tmp_path: Path) -> None:
    made = make_up(tmp_path, {"evaluation": {"methods": ["all_features", "genetic", "fisher"]}})
    assert due(made) == planned_counts(dry_run(made)) == Counter()
    results = tmp_path / "results" / "small"
    (results / "selection" / "fisher" / "s01.h5").unlink()
    (results / "faces" / "s02.failures.tsv").unlink()  # nobody asks for it
    assert due(made) == planned_counts(dry_run(made))
    assert due(made)["select"] == 1
    (results / "faces" / "s03.h5").touch()
    (results / "evaluation" / "genetic" / "linear_svm.csv").unlink()
    assert due(made) == planned_counts(dry_run(made))
    assert due(made)["select"] == 10
    (results / "clips.tsv").unlink()
    assert due(made) == planned_counts(dry_run(made))
    assert due(made)["find_apexes"] == 1
    assert due(made)["draw_contact_sheets"] == 5


@pytest.mark.workflow
def test_selections_follow_the_table_of_groups(tmp_path: Path) -> None:
    table = tmp_path / "units.csv"
    table.touch()
    os.utime(table, (0, 0))
    methods = {"methods": ["all_features", "genetic", "fisher"]}
    units = {"unit": "custom", "unit_table": str(table)}
    made = make_up(tmp_path, {"evaluation": methods, "genetic": units})
    assert due(made) == planned_counts(dry_run(made)) == Counter()
    table.touch()
    assert due(made) == planned_counts(dry_run(made))
    assert due(made)["select_genetic"] == 5
    assert "select" not in due(made)


def test_every_rule_of_the_workflow_has_jobs(tmp_path: Path) -> None:
    blocks = {"features": {"blocks": BLOCKS}, "clips": {"keep": True}}
    made = make_up(tmp_path, {**blocks, "permutation": {"n_permutations": 1}})
    (tmp_path / "swept").mkdir()
    swept = make_up(tmp_path / "swept", {"sweep": SWEEP}, sweep=True)
    jobs = [*made.jobs, *swept.jobs]
    rules = "".join(
        path.read_text() for path in [*tmp_path.glob("**/*.smk"), tmp_path / "Snakefile"]
    )
    named = set(
        re.findall(r"^(?:rule|checkpoint) (\w+):|^use rule \w+ as (\w+)", rules, re.MULTILINE)
    )
    asked_by_name = {"flow", "compute_flow"}
    assert {job.rule for job in jobs} == {one or other for one, other in named} - asked_by_name
    local = set(re.findall(r"^(?:rule|checkpoint) (\w+):(?:(?!^rule|^checkpoint).)*?localrule: True",
                           rules, re.MULTILINE | re.DOTALL))  # fmt: skip
    assert {job.rule for job in jobs if job.is_local} == local - asked_by_name
