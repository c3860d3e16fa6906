"""Runs Snakemake from end to end on small datasets, and plans what a change reruns."""

import csv
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from conftest import REPOSITORY
from workflow.small import AFTER_SELECTION, SMALL, planned_rules, workflow_copy

from merec_hpc.runs.configuration import read_config
from merec_hpc.runs.extent import find_extent
from merec_hpc.runs.jobs import jobs_of
from merec_hpc.runs.remaining import job_states

pytestmark = [pytest.mark.workflow]


def snakemake(folder: Path, *arguments: str, **changes: object) -> subprocess.CompletedProcess[str]:
    """Run Snakemake on the small configuration with some keys changed."""
    values = {**SMALL, **changes}
    if values.get("dataset", "simulated") != "simulated":  # whose section then does nothing
        del values["simulated"]
    (folder / "small.yaml").write_text(yaml.safe_dump(values))
    command = ["snakemake", "--cores", "2", "--configfile", "small.yaml", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=1200
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """The folder of a finished run on the simulated dataset."""
    folder = workflow_copy(tmp_path_factory.mktemp("finished"))
    shutil.copytree(weights, folder / "resources" / "weights")
    planned = planned_jobs(folder)
    run = snakemake(folder)
    assert run.returncode == 0, run.stdout + run.stderr
    said = re.findall(
        r"^(?:local)?(?:rule|checkpoint) (\w+):", run.stdout + run.stderr, re.MULTILINE
    )
    (folder / "counts.yaml").write_text(
        yaml.safe_dump({"planned": dict(planned), "done": dict(Counter(said))})
    )
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, with all that Snakemake knows of it, for a test to change."""
    return Path(shutil.copytree(finished, tmp_path / "copied", symlinks=True))


def planned_jobs(folder: Path) -> Counter[str]:
    """Return how many jobs of each rule are to run, by the plan."""
    (folder / "before.yaml").write_text(yaml.safe_dump(SMALL))
    config = read_config([folder / "config.yaml", folder / "before.yaml"], [])
    jobs = jobs_of(config, find_extent(config, folder))
    states = job_states(jobs, folder)
    together = zip(jobs, states, strict=True)
    return Counter(job.rule for job, state in together if state != "done")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.mark.xdist_group("finished")
def test_a_run_ends_with_a_report_and_one_row_per_clip_and_method(finished: Path) -> None:
    results = finished / "results" / "small"
    rows = rows_of(results / "predictions.csv")
    expected = ["method", "classifier", "seed", "fold", "subject", "clip", "label", "predicted"]
    assert list(rows[0]) == [*expected, "decisions"]
    clips = {row["clip"] for row in rows}
    assert len(clips) == SMALL["simulated"]["n_clips"]
    assert len(rows) == 3 * len(clips)
    methods = {"all_features", "all_features+ensemble", "genetic"}
    assert {row["method"] for row in rows} == methods
    assert all(row["fold"] == row["subject"] for row in rows)
    assert "majority class" in (results / "report" / "index.html").read_text()


@pytest.mark.xdist_group("finished")
def test_a_plan_made_before_the_run_counts_the_jobs_that_ran(finished: Path) -> None:
    counts = yaml.safe_load((finished / "counts.yaml").read_text())
    assert counts["planned"] == counts["done"]
    assert sum(counts["done"].values()) == 23


def without_resources(page: str) -> str:
    """Return a report without the times that its jobs took."""
    start, end = page.index("<h2>Resources</h2>"), page.index("<h2>Settings</h2>")
    return page[:start] + page[end:]


@pytest.mark.xdist_group("finished")
def test_chosen_features_are_written_by_name(finished: Path) -> None:
    rows = rows_of(finished / "results" / "small" / "chosen_features.csv")
    assert {row["fold"] for row in rows} == {"s11", "s12", "s13"}
    assert all(row["method"] == "genetic" for row in rows)
    assert all(re.fullmatch(r"flow/dis/\d+/\d+/(u|v|strain)", row["feature"]) for row in rows)


@pytest.mark.xdist_group("finished")
def test_a_second_run_does_nothing(finished: Path) -> None:
    assert planned_rules(snakemake(finished)) == set()
    assert planned_jobs(finished) == Counter()


@pytest.mark.xdist_group("finished")
def test_a_changed_genetic_setting_reruns_selection_and_later_stages_only(finished: Path) -> None:
    changed = {**SMALL["genetic"], "crossover_probability": 0.7}
    planned = planned_rules(snakemake(finished, "--dry-run", genetic=changed))
    assert planned == {"select_genetic", *AFTER_SELECTION}


@pytest.mark.xdist_group("finished")
def test_a_changed_number_of_resamplings_lists_the_report_alone(finished: Path) -> None:
    planned = planned_rules(snakemake(finished, "--dry-run", evaluation={"n_bootstraps": 60}))
    assert planned == {"render_report", "all"}


@pytest.mark.xdist_group("finished")
def test_a_changed_interpolation_leaves_the_faces_alone(finished: Path) -> None:
    planned = planned_rules(snakemake(finished, "--dry-run", interpolation={"n_frames": 6}))
    # Flow is taken between frames as filmed.
    assert planned == {"draw_contact_sheets", "render_report", "all"}


@pytest.mark.xdist_group("finished")
def test_another_way_to_the_apex_leaves_the_faces_alone(finished: Path) -> None:
    planned = planned_rules(snakemake(finished, "--dry-run", apex={"method": "flow"}))
    assert {"find_apexes", "extract_features"} <= planned
    assert not planned & {"simulate", "index_dataset", "register_faces"}


@pytest.mark.xdist_group("finished")
def test_every_clip_has_an_apex_and_the_catalog_says_how_it_was_found(finished: Path) -> None:
    rows = rows_of(finished / "results" / "small" / "clips.tsv")
    assert len(rows) == SMALL["simulated"]["n_clips"]
    assert all(int(row["apex"]) > 0 and row["apex_source"] == "difference" for row in rows)


@pytest.mark.xdist_group("finished")
def test_flow_and_clips_are_written_for_those_who_ask(copied: Path) -> None:
    run = snakemake(copied, "--", "flow")
    assert planned_rules(run) == {"compute_flow", "flow"}
    results = copied / "results" / "small"
    assert sorted(path.name for path in (results / "flow").glob("*.h5")) == [
        "s11.h5",
        "s12.h5",
        "s13.h5",
    ]
    assert not list((results / "clips").glob("*.h5"))
    kept = snakemake(copied, clips={"keep": True})
    assert planned_rules(kept) == {"interpolate_clips", "render_report", "all"}
    assert len(list((results / "clips").glob("*.h5"))) == 3


@pytest.mark.xdist_group("finished")
def test_blocks_side_by_side_are_selected_from_together_and_told_apart(copied: Path) -> None:
    blocks = [
        {"extractor": "flow", "name": "coarse", "settings": {"grid": 7, "outputs": ["u", "v"]}},
        {"extractor": "network", "settings": {"statistics": ["apex_difference"]}, "weight": 0.1},
        {"extractor": "lbp", "settings": {"n_blocks": 2}},
    ]
    changes = {"features": {"blocks": blocks}}
    run = snakemake(copied, **changes)
    assert run.returncode == 0, run.stdout + run.stderr
    results = copied / "results" / "small"
    shares = rows_of(results / "blocks" / "shares.csv")
    assert {row["block"]: row["n_features"] for row in shares} == {
        "coarse": "98",
        "mobilenet_v2": "1280",
        "lbp": str(59 * 4),
    }
    of_genetic = [row for row in shares if row["selector"] == "genetic" and row["fold"] == "s11"]
    assert sum(float(row["share"]) for row in of_genetic) == pytest.approx(1)
    alone = rows_of(results / "blocks" / "predictions.csv")
    assert {row["method"] for row in alone} == {"coarse", "mobilenet_v2", "lbp"}
    assert len(alone) == 3 * SMALL["simulated"]["n_clips"]
    chosen = {row["feature"] for row in rows_of(results / "chosen_features.csv")}
    assert {name.partition("/")[0] for name in chosen} == {"flow", "mobilenet_v2", "lbp"}
    page = (results / "report" / "index.html").read_text()
    assert "<h2>Blocks of features</h2>" in page
    assert planned_rules(snakemake(copied, "--dry-run", **changes)) == set()


@pytest.mark.longer
@pytest.mark.xdist_group("finished")
def test_what_is_calibrated_by_subject_says_so(copied: Path) -> None:
    changes = {"scaling": "transductive_shrunk", "calibration": {"min_clips": 2}}
    run = snakemake(copied, **changes)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "extract_features" not in planned_rules(run)
    results = copied / "results" / "small"
    rows = rows_of(results / "predictions.csv")
    names = ("all_features", "all_features+ensemble", "genetic")
    expected = {f"{name} (transductive)" for name in names}
    assert {row["method"] for row in rows} == expected
    chosen = rows_of(results / "chosen_features.csv")
    assert {row["method"] for row in chosen} == {"genetic (transductive)"}
    assert "genetic (transductive)" in (results / "report" / "index.html").read_text()


@pytest.mark.xdist_group("finished")
def test_a_deleted_store_reruns_from_there_to_the_same_predictions(copied: Path) -> None:
    results = copied / "results" / "small"
    before = (results / "predictions.csv").read_bytes()
    page = without_resources((results / "report" / "index.html").read_text())
    (results / "features" / "flow.h5").unlink()
    run = snakemake(copied)
    expected = {"extract_features", "select_genetic", "select", *AFTER_SELECTION}
    assert planned_rules(run) == expected
    assert (results / "predictions.csv").read_bytes() == before
    assert without_resources((results / "report" / "index.html").read_text()) == page


@pytest.mark.longer
@pytest.mark.xdist_group("finished")
def test_deleted_tables_are_made_again_in_one_run(copied: Path) -> None:
    results = copied / "results" / "small"
    before = (results / "predictions.csv").read_bytes()
    for name in ("catalog.tsv", "folds.tsv", "predictions.csv"):
        (results / name).unlink()
    run = snakemake(copied)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (results / "predictions.csv").read_bytes() == before
    assert planned_rules(snakemake(copied, "--dry-run")) == set()


@pytest.mark.longer
@pytest.mark.xdist_group("finished")
def test_a_further_method_is_selected_and_compared_and_nothing_else_is_done_again(
    copied: Path,
) -> None:
    evaluation = {"methods": ["all_features", "genetic", "fisher", "forward", "genetic+ensemble"]}
    changes = {"evaluation": evaluation, "forward": {"n_steps": 2}}
    run = snakemake(copied, **changes)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "select" in planned_rules(run)
    assert not planned_rules(run) & {"select_genetic", "extract_features"}
    said = run.stdout + run.stderr
    selected = re.findall(r"rule select:.*?selector=(\w+)", said, re.DOTALL)
    assert sorted(selected) == ["fisher"] * 3 + ["forward"] * 3
    rows = rows_of(copied / "results" / "small" / "predictions.csv")
    assert {row["method"] for row in rows} == set(evaluation["methods"])
    page = (copied / "results" / "small" / "report" / "index.html").read_text()
    assert "Comparison with all_features" in page
    assert "<td>genetic+ensemble</td>" in page
    assert planned_rules(snakemake(copied, "--dry-run", **changes)) == set()


@pytest.mark.xdist_group("finished")
def test_permutations_are_dealt_out_to_jobs_and_reported(copied: Path) -> None:
    permutation = {"n_permutations": 4, "methods": ["all_features"], "permutations_per_job": 3}
    run = snakemake(copied, permutation=permutation)
    assert run.returncode == 0, run.stdout + run.stderr
    results = copied / "results" / "small"
    folder = results / "permutations" / "all_features"
    numbers = [[row["permutation"] for row in rows_of(folder / f"{job}.csv")] for job in (0, 1)]
    assert numbers == [["0", "1", "2"], ["3", "4"]]
    real = rows_of(folder / "0.csv")[0]
    rows = [row for row in rows_of(results / "predictions.csv") if row["method"] == "all_features"]
    share = sum(row["label"] == row["predicted"] for row in rows) / len(rows)
    assert float(real["accuracy"]) == pytest.approx(share)
    assert "Permuted labels" in (results / "report" / "index.html").read_text()


@pytest.mark.longer
@pytest.mark.xdist_group("finished")
def test_folds_of_several_subjects_hold_each_of_them_out(copied: Path) -> None:
    changes = {"evaluation": {"protocol": "subject_folds", "n_folds": 3}}
    run = snakemake(copied, **changes)
    assert run.returncode == 0, run.stdout + run.stderr
    results = copied / "results" / "small"
    members = {row["subject"]: row["fold"] for row in rows_of(results / "fold_subjects.tsv")}
    assert set(members.values()) == {"fold1", "fold2", "fold3"}
    rows = rows_of(results / "predictions.csv")
    assert {row["clip"] for row in rows} == {
        row["clip"] for row in rows_of(results / "catalog.tsv")
    }
    assert all(row["fold"] == members[row["subject"]] for row in rows)


@pytest.mark.xdist_group("finished")
def test_a_sweep_scores_every_variant_on_the_same_folds(copied: Path) -> None:
    sweep = {"networks": ["mobilenet_v2"], "seeds": [0, 1], "statistics": [["std"]]}
    run = snakemake(copied, "--", "sweep", sweep=sweep)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = rows_of(copied / "results" / "small" / "sweep.csv")
    assert [(row["seed"], row["decider"]) for row in rows] == [
        ("0", "champion"),
        ("1", "champion"),
        ("0+1", "ensemble"),
    ]
    assert [row["method"] for row in rows] == ["genetic", "genetic", "genetic+ensemble"]
    assert all(row["statistics"] == "std" for row in rows)
    assert float(rows[2]["n_selected"]) > float(rows[0]["n_selected"])
    assert all(row["n_clips"] == "12" for row in rows)
    assert all(0 <= float(row["UAR_low"]) <= float(row["UAR"]) <= 1 for row in rows)
    assert planned_rules(snakemake(copied, "--dry-run", "--", "sweep", sweep=sweep)) == set()
    more = {**sweep, "seeds": [0, 1, 2], "criteria": ["mu", "mu_minus_variance"]}
    planned = snakemake(copied, "--dry-run", "--", "sweep", sweep=more)
    said = planned.stdout + planned.stderr
    # Six variants on three folds, of which two variants are done.
    assert re.search(r"^sweep_select_genetic +12$", said, re.MULTILINE), said
    assert "sweep_extract_features" not in planned_rules(planned)
    on_slurm = snakemake(copied, "--profile", "slurm", "--dry-run", "--", "sweep", sweep=more)
    told = on_slurm.stdout + on_slurm.stderr
    jobs = re.findall(r"rule sweep_select_genetic:.*?resources: ([^\n]*)", told, re.DOTALL)
    # Each of them once: Snakemake's own grouping plans some twice, or for ever.
    assert len(jobs) == 12
    shared = re.findall(r"^\S.*Group job (sweep_searches_\d+) ", told, re.MULTILINE)
    # Of 18 places the 6 of the done variants are left out, none is moved.
    assert sorted(shared) == ["sweep_searches_0", "sweep_searches_1", "sweep_searches_2"]
    assert all("tasks=16, mpi=srun --mpi=pmi2" in job for job in jobs), jobs[0]
    assert all("slurm_extra='--signal=USR1@120'" in job for job in jobs), jobs[0]
    # A variant that is in no table may be asked for; its jobs share nothing.
    variant = "network~mobilenet_v2/layer~features.18/statistics~std/criterion~mu/seed~9"
    unlisted = f"results/small/sweep/predictions/{variant}.csv"
    alone = snakemake(copied, "--profile", "slurm", "--dry-run", "--", unlisted, sweep=more)
    assert "sweep_select_genetic" in planned_rules(alone)
    assert "Group job sweep" not in alone.stdout + alone.stderr


@pytest.mark.longer
@pytest.mark.xdist_group("finished")
def test_another_dataset_under_the_same_catalog_reruns_everything_in_one_run(
    copied: Path,
) -> None:
    store = copied / "results" / "small" / "features" / "flow.h5"
    before = store.read_bytes()
    other = {**SMALL["simulated"], "peak_displacement_px": [5.0, 6.0]}
    run = snakemake(copied, simulated=other)
    assert run.returncode == 0, run.stdout + run.stderr
    assert store.read_bytes() != before
    assert planned_rules(snakemake(copied, "--dry-run", simulated=other)) == set()


@pytest.mark.longer
def test_other_labels_register_and_interpolate_nothing_again(tmp_path: Path) -> None:
    folder = workflow_copy(tmp_path)
    changes = {
        "dataset": "manifest",
        "dataset_root": "images",
        "faces": {"registration": "none", "size_px": 64},
        "features": {"extractor": "lbp_top"},
        "interpolation": {"n_frames": 9},
    }
    results = folder / "results" / "small"
    names = ["s1", "s2", "s3"]
    pictures = [results / kind / f"{name}.png" for kind in ("faces", "clips") for name in names]
    targets = [*pictures, results / "features" / "lbp_top.h5"]
    wanted = ["--", *(str(path.relative_to(folder)) for path in targets)]
    write_labelled_images(folder / "images", names, ("angry", "sad"))
    first = snakemake(folder, *wanted, **changes)
    assert first.returncode == 0, first.stdout + first.stderr
    before = [path.read_bytes() for path in targets]
    write_labelled_images(folder / "images", names, ("negative", "positive"))
    indexed = snakemake(folder, "--", "results/small/catalog.tsv", **changes)
    assert planned_rules(indexed) == {"index_dataset"}
    again = snakemake(folder, *wanted, **changes)
    assert again.returncode == 0, again.stdout + again.stderr
    # Not the first plan, which ends at the checkpoint.
    done = re.findall(
        r"^local(?:rule|checkpoint) (\w+):", again.stdout + again.stderr, re.MULTILINE
    )
    later = {"find_apexes", "draw_contact_sheets", "extract_features"}
    assert set(done) == {"collect_failures", *later}
    assert all(path.read_bytes() != old for path, old in zip(targets, before, strict=True))


def write_labelled_images(folder: Path, subjects: list[str], labels: tuple[str, ...]) -> None:
    """Write a manifest of two images a subject, with labels in turn, and images not yet there."""
    folder.mkdir(exist_ok=True)
    rows = ["clip,subject,label,path,onset,apex,offset"]
    for number, subject in enumerate(2 * subjects):
        image = folder / f"{number}.png"
        if not image.exists():
            noise = np.random.default_rng(number).integers(0, 256, (48, 48, 3), dtype=np.uint8)
            cv2.imwrite(str(image), noise)
        rows.append(f"c{number},{subject},{labels[number % len(labels)]},{image.name},,,")
    (folder / "manifest.csv").unlink(missing_ok=True)  # so that the folder changes
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")


def test_a_misspelt_key_stops_before_any_job_and_names_the_nearest(tmp_path: Path) -> None:
    run = snakemake(workflow_copy(tmp_path), genetic={"n_generation": 3})
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "unknown key 'genetic.n_generation'; did you mean 'genetic.n_generations'?" in said
    assert not (tmp_path / "results").exists()


def test_a_missing_dataset_stops_with_one_clear_line(tmp_path: Path) -> None:
    run = snakemake(workflow_copy(tmp_path), dataset="smic", dataset_root="nowhere")
    said = run.stdout + run.stderr
    assert run.returncode != 0
    missing = (tmp_path / "nowhere").resolve()
    assert f"{missing}: expected the dataset's folder, found no such folder" in said
    assert not (tmp_path / "logs").exists()  # before any job


def test_the_slurm_profile_plans_the_run_and_says_that_the_catalog_comes_first(
    tmp_path: Path,
) -> None:
    run = snakemake(workflow_copy(tmp_path), "--profile", "slurm", "--dry-run")
    planned = planned_rules(run)
    assert {"simulate", "index_dataset", "extract_features", "render_report"} <= planned
    assert "checkpoint" in run.stdout + run.stderr


@pytest.mark.longer
def test_real_faces_run_through_to_a_report_over_20_subjects(
    tmp_path: Path, cmu_faces: Path, weights: Path
) -> None:
    folder = workflow_copy(tmp_path)
    shutil.copytree(weights, folder / "resources" / "weights")
    quick = {
        "genetic": {**SMALL["genetic"], "n_generations": 1},
        "interpolation": {"n_frames": 3},
        "evaluation": {"protocol": "subject_folds", "n_folds": 4},  # a quarter of the time
    }
    (folder / "quick.yaml").write_text(yaml.safe_dump(quick))
    command = ["snakemake", "--cores", "2", "--configfile", "config/cmu_faces.yaml", "quick.yaml"]
    command += ["--config", f"dataset_root={cmu_faces}"]
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=1800
    )
    assert run.returncode == 0, run.stdout + run.stderr
    results = folder / "results" / "cmu_faces"
    rows = rows_of(results / "predictions.csv")
    assert len({row["subject"] for row in rows}) == 20
    assert len({row["clip"] for row in rows}) == 58
    assert "20 subjects" in (results / "report" / "index.html").read_text()


def test_paper_5_runs_on_an_official_split(tmp_path: Path, weights: Path) -> None:
    folder = workflow_copy(tmp_path)
    (folder / "resources" / "weights").mkdir(parents=True)
    shutil.copy(weights / "mobilenet_v2", folder / "resources" / "weights" / "mobilenet_v2")
    rng = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for number in range(1010):  # more than one block of training images
        usage = "Training" if number < 1000 else "PrivateTest"
        emotion = number % 2 if number % 20 < 4 or number >= 1000 else -1
        if emotion >= 0:
            pixels = rng.integers(0, 100, (48, 48)) + 100 * emotion
            lines.append(f"{emotion},{' '.join(map(str, pixels.ravel()))},{usage}")
    training = [line for line in lines if line.endswith("Training")]
    # The same images again, so far down that they are another block.
    lines = [lines[0], *(training * 6), *(line for line in lines if line.endswith("PrivateTest"))]
    (folder / "data").mkdir()
    (folder / "data" / "fer2013.csv").write_text("\n".join(lines) + "\n")
    few = {"dataset_root": "data", "ant_colony": {"n_ants": 2, "n_iterations": 1}}
    (folder / "few.yaml").write_text(yaml.safe_dump(few))
    command = ["snakemake", "--cores", "2", "--configfile", "config/fer2013.yaml", "few.yaml"]
    shutil.copytree(REPOSITORY / "config", folder / "config", dirs_exist_ok=True)
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=1200
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = rows_of(folder / "results" / "fer2013" / "predictions.csv")
    assert {row["fold"] for row in rows} == {"test"}
    assert {row["classifier"] for row in rows} == {"random_forest"}
    assert len(rows) == 10
    # Bright and dark noise: whoever learns anything tells most of them apart.
    assert sum(row["label"] == row["predicted"] for row in rows) >= 8
