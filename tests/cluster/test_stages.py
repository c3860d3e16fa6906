"""The whole workflow through SLURM jobs, and what a change runs again."""

import re
import shutil
from pathlib import Path

import pytest
from cluster.experiment import LAST_SUBJECT, Experiment, make_experiment
from cluster.slurm import SlurmCluster
from workflow.small import AFTER_SELECTION, planned_rules


def test_jobs_of_the_cluster_give_the_bytes_of_a_local_run(
    finished: Experiment, tmp_path: Path, cluster: SlurmCluster, dataset: Path, weights: Path
) -> None:
    local = make_experiment(tmp_path, cluster, dataset, weights)
    done = local.run_here()
    assert done.returncode == 0, done.stdout + done.stderr
    for pattern in ("catalog.tsv", "features/*.h5", "selection/*/*.h5", "predictions.csv"):
        found = finished.contents(pattern)
        assert found
        assert found == local.contents(pattern)


def test_the_search_ran_on_two_nodes_in_one_allocation(
    finished: Experiment, cluster: SlurmCluster
) -> None:
    logs = list(
        (finished.folder / "logs" / "slurm" / "group_searches_0_select_genetic").glob("*.log")
    )
    assert len(logs) == 1  # all folds
    job = cluster.output("scontrol", "show", "job", logs[0].stem)
    assert "NumNodes=2" in job
    assert "NodeList=n[1-2]" in job
    for fold in ("s11", "s12", "s13"):
        log = finished.folder / "logs" / "select_genetic" / "small" / f"{fold}.log"
        assert " 2 ranks, " in log.read_text()


def test_extraction_had_a_gpu(finished: Experiment, cluster: SlurmCluster) -> None:
    (log,) = (finished.folder / "logs" / "slurm" / "rule_extract_features").rglob("*.log")
    assert re.search(r"gres[/:]gpu", cluster.output("scontrol", "show", "job", log.stem))


def test_the_report_says_what_jobs_used(finished: Experiment) -> None:
    page = (finished.results / "report" / "index.html").read_text()
    resources = page[page.index("<h2>Resources</h2>") : page.index("<h2>Settings</h2>")]
    for rule in ("register_faces", "interpolate_clips", "extract_features", "select_genetic"):
        assert f"<td>{rule}</td>" in resources


def test_a_finished_workflow_plans_nothing(finished: Experiment) -> None:
    assert planned_rules(finished.run("--dry-run")) == set()


def test_status_and_plan_read_what_is_there(finished: Experiment) -> None:
    config = ["--configfile", "config.yaml", "--configfile", "own.yaml"]
    told = finished.call(["merec", "status", *config])
    assert told.returncode == 0, told.stderr
    assert "3 searches: 3 done" in told.stdout
    planned = finished.call(["merec", "plan", *config])
    assert planned.returncode == 0, planned.stderr
    assert "clips, 3 subjects" in planned.stdout


def test_a_changed_setting_runs_what_depends_on_it(finished: Experiment) -> None:
    before = finished.contents("features/*.h5") | finished.contents("selection/all_features/*")
    former = dict(finished.config)
    finished.config["genetic"] = {**former["genetic"], "crossover_probability": 0.7}
    done = finished.run()
    assert planned_rules(done) == {"select_genetic", *AFTER_SELECTION}
    assert finished.contents("features/*.h5") | finished.contents("selection/all_features/*") == (
        before
    )


def test_a_deleted_output_is_made_again_and_what_follows_from_it(finished: Experiment) -> None:
    former = finished.contents("selection/*/*.h5") | finished.contents("predictions.csv")
    finished.selection("s12").unlink()
    done = finished.run()
    assert planned_rules(done) == {"select_genetic", *AFTER_SELECTION}
    assert re.search(r"^select_genetic +1$", done.stdout + done.stderr, re.MULTILINE)
    assert finished.contents("selection/*/*.h5") | finished.contents("predictions.csv") == former
    log = finished.folder / "logs" / "select_genetic" / "small" / "s12.log"
    # The search itself was kept.
    assert "the search goes on after generation 3" in log.read_text()


def test_short_jobs_of_a_rule_that_shares_nothing_may_be_an_array(
    finished: Experiment, cluster: SlurmCluster
) -> None:
    before = finished.contents("selection/all_features/*.h5")
    for name in before:
        (finished.results / name).unlink()
    profile = {"group-components": {"controls": 1}, "slurm-array-jobs": "select"}
    done = finished.run(profile=profile)
    assert done.returncode == 0, done.stdout + done.stderr
    assert finished.contents("selection/all_features/*.h5") == before
    assert any(re.fullmatch(r"\d+_\d+", job) for job in cluster.jobs())


@pytest.mark.longer
def test_a_new_subject_runs_its_own_stages_then_selection_and_all_after(
    finished: Experiment, dataset: Path
) -> None:
    stages = ("faces/*.h5", "clips/*.h5")
    before = {
        path: content for stage in stages for path, content in finished.contents(stage).items()
    }
    times = {path: (finished.results / path).stat().st_mtime_ns for path in before}
    for subject in dataset.glob(f"**/{LAST_SUBJECT}"):
        target = finished.folder / "dataset" / subject.relative_to(dataset)
        shutil.copytree(subject, target)
    done = finished.run()
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout + done.stderr
    for rule in ("register_faces", "interpolate_clips"):
        jobs = set(re.findall(rf"rule {rule}:.*?subject=(\w+)", said, re.DOTALL))
        assert jobs == {LAST_SUBJECT}
    for path, content in before.items():
        assert (finished.results / path).read_bytes() == content
        assert (finished.results / path).stat().st_mtime_ns == times[path]
    log = finished.folder / "logs" / "extract_features" / "small" / "mobilenet_v2.log"
    assert "3 of 4 subjects are known already" in log.read_text()
    assert len(finished.contents("selection/genetic/*.h5")) == 4
    predictions = (finished.results / "predictions.csv").read_text()
    assert f",{LAST_SUBJECT}," in predictions
