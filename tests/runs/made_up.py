"""A folder in which an experiment seems to have run: its files without their content."""

import json
import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import h5py
import yaml
from workflow.small import workflow_copy

from merec_hpc.config.base import to_json
from merec_hpc.config.scaling import scaling_text
from merec_hpc.config.whole import Config
from merec_hpc.dataset.catalog import write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.folds import FoldMember, FoldSize
from merec_hpc.dataset.listing import Fault
from merec_hpc.dataset.sources import Folder
from merec_hpc.evaluation.permutation import PermutedRun
from merec_hpc.files.rows import write_rows
from merec_hpc.metrics import METRICS
from merec_hpc.records import Failure
from merec_hpc.runs.configuration import read_config
from merec_hpc.runs.experiment import (
    dataset_folder,
    extraction_of,
    extractions,
    permutation_numbers,
    results_folder,
    selector_settings,
)
from merec_hpc.runs.extent import Extent, find_extent
from merec_hpc.runs.jobs import Job, jobs_of
from merec_hpc.runs.variants import genetic_settings, variant_extraction, variants_of

CLASSES = ("negative", "positive", "surprise")


@dataclass(frozen=True)
class MadeUp:
    """Such a folder, and what is in it."""

    folder: Path
    config: Config
    extent: Extent
    jobs: list[Job]


def make_up(
    folder: Path,
    changes: dict[str, object],
    n_subjects: int = 5,
    *,
    sweep: bool = False,
    without: Collection[str] = (),
) -> MadeUp:
    """Write the files of all jobs, each newer than those it is made of, but not of some rules."""
    workflow_copy(folder)
    (folder / "own.yaml").write_text(yaml.safe_dump({"experiment": "small", **changes}))
    config = read_config([folder / "config.yaml", folder / "own.yaml"], [])
    results = folder / results_folder(config)
    (folder / dataset_folder(config)).mkdir(parents=True, exist_ok=True)
    names = [f"s{number:02d}" for number in range(n_subjects)]
    clips = [
        Clip(
            f"{name}_{label}", name, label, Folder(name), split="test" if name < "s02" else "train"
        )
        for name in names
        for label in CLASSES
    ]
    write_catalog(results / "catalog.tsv", clips)
    extent = find_extent(config, folder)
    jobs = jobs_of(config, extent, sweep=sweep)
    start = time.time() - 10 * len(jobs) - 100
    os.utime(folder / dataset_folder(config), (start, start))
    for place, job in enumerate(jobs):
        when = start + 10 * place
        for output in job.outputs:
            path = folder / output
            if job.rule in without:
                if path.is_file():
                    path.unlink()
                continue
            _write(path, job, config, extent)
            os.utime(path, (when, when))
    return MadeUp(folder, config, extent, jobs)


def _write(path: Path, job: Job, config: Config, extent: Extent) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".h5":
        with h5py.File(path, "w", libver=("v110", "v110")) as file:
            for name, value in _recorded(job, config).items():
                file.attrs[name] = json.dumps(value)
    elif path.name.endswith("failures.tsv"):
        write_rows(path, Failure, [])
    elif path.name == "audit.tsv":
        write_rows(path, Fault, [])
    elif path.name == "folds.tsv":
        write_rows(path, FoldSize, extent.folds)
    elif path.name == "clips.tsv":
        write_catalog(path, extent.clips)
    elif path.name == "fold_subjects.tsv":
        write_rows(path, FoldMember, extent.members)
    elif job.rule == "run_permutation":
        scores = dict.fromkeys(METRICS, 0.5)
        numbers = permutation_numbers(config, int(job.unit))
        rows = [PermutedRun(job.part, number, scores, 0.5) for number in numbers]
        write_rows(path, PermutedRun, rows)
    elif not path.exists():
        path.touch()


def _recorded(job: Job, config: Config) -> dict[str, object]:
    """Return what a store says of how it was made."""
    if job.rule in {"select", "select_genetic", "sweep_select_genetic"}:
        selector, settings = job.part or "genetic", config.genetic
        if job.rule == "select":
            settings = selector_settings(config, selector)
        elif job.part:
            selector = "genetic"
            variant = next(v for v in variants_of(config) if job.unit.startswith(v.path + "/"))
            settings = genetic_settings(config, variant.criterion, variant.seed)
        return {
            "method": selector,
            "fold": job.unit.rpartition("/")[2],
            "scaling": scaling_text(config.scaling, config.calibration),
            "settings": to_json(settings),
        }
    interpolation = config.interpolation
    if job.rule == "sweep_extract_features":
        variant = next(v for v in variants_of(config) if v.path.startswith(f"{job.part}/"))
        kind = (variant.network, variant.layer, variant.statistics)
        extraction = variant_extraction(config, *kind)
        section, interpolation = extraction.settings, extraction.interpolation(config)
    elif job.rule == "extract_features":
        extraction = extraction_of(config, Path(job.outputs[0]).stem)
        section, interpolation = extraction.settings, extraction.interpolation(config)
    elif job.rule == "join_features":
        return {"blocks": [[one.name, one.weight] for one in extractions(config)]}
    else:
        section = config.faces if job.rule == "register_faces" else config.interpolation
    return {
        "settings": to_json(section),
        "interpolation": to_json(interpolation),
        "format": config.clips.format,
    }
