"""Say what a configuration will cost before anything is submitted."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from merec_hpc.commands.configuration import DEFAULT_FILES, ConfigFiles, ConfigKeys, read_config
from merec_hpc.config import Config
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.simulated import PRESETS
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import layer_shape
from merec_hpc.features.lbp_top import lbp_top_names
from merec_hpc.features.statistics import feature_names
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.selection.genetic.cost import (
    Network,
    Prediction,
    measure_costs,
    n_evaluations,
    predict_search,
)
from merec_hpc.store.features import read_features
from merec_hpc.sweep import variants_of

# Seconds a frame on one core, and megabytes, of the stages before selection, as Snakemake's
# benchmarks of the simulated dataset have them (640 x 480 in, 224 x 224 out, MobileNetV2).
SECONDS_PER_FRAME = {
    "register_faces": 0.04,
    "interpolate_clips": 0.005,
    "extract_features": 0.03,
}
STAGE_MB = {"register_faces": 500, "interpolate_clips": 400, "extract_features": 900}
# What a rank takes besides its share of the features (docs/speed.md).
RANK_MB = 250
# Of every job: Snakemake twice, and the imports of the command.
START_S = 8.0
INFINIBAND = Network(latency_s=2e-6, bytes_per_s=12.5e9)
SMIC_SIZES = {"HS": (164, 16, 34), "VIS": (71, 8, 10), "NIR": (71, 8, 10)}


@dataclass(frozen=True)
class Size:
    """How much there is to do."""

    n_clips: int
    n_subjects: int
    n_classes: int
    n_frames: int
    source: str


@dataclass(frozen=True)
class StagePlan:
    """What the jobs of one stage cost."""

    rule: str
    n_jobs: int
    n_cores: int
    minutes: float
    """Of one job."""
    memory_mb: float
    """Of one job."""

    @property
    def core_hours(self) -> float:
        """Of all jobs."""
        return self.n_jobs * self.n_cores * self.minutes / 60


def run(
    configfile: ConfigFiles = DEFAULT_FILES,
    config: ConfigKeys = None,
    ranks: Annotated[int, typer.Option(min=1, help="MPI ranks of a search.")] = 16,
    cores_per_node: Annotated[int, typer.Option(min=1, help="Cores of a node.")] = 64,
    sweep: Annotated[bool, typer.Option("--sweep", help="Plan the sweep's searches.")] = False,
    clips: Annotated[int | None, typer.Option(help="Clips of a dataset that is not here.")] = None,
    subjects: Annotated[int | None, typer.Option(help="Its subjects.")] = None,
    classes: Annotated[int, typer.Option(min=2, help="Its classes.")] = 3,
    frames: Annotated[int, typer.Option(min=1, help="Its frames a clip.")] = 40,
) -> None:
    """Print expected jobs, time, node-hours and memory of a configuration.

    Evaluations are timed here and now, on features of the same shape, or on those of the
    experiment if they are there: run it on the kind of node that will do the work.
    """
    limit_library_threads()
    parsed = read_config(configfile, config or [])
    if clips is not None and subjects is not None:
        size = Size(clips, subjects, classes, clips * frames, "options")
    else:
        size = _size(parsed, frames)
    values, labels, groups, source = _features(parsed, size)
    costs = measure_costs(values, labels, groups, parsed.genetic)
    prediction = predict_search(parsed.genetic, values.shape[1], ranks, costs, INFINIBAND)
    stages = _stages(parsed, size, prediction, values.shape[1], ranks, sweep=sweep)
    console = Console(soft_wrap=True)
    console.print(
        f"{size.n_clips} clips, {size.n_subjects} subjects, {size.n_frames} frames ({size.source}); "
        f"{values.shape[1]} features ({source})",
        highlight=False,
    )
    table = Table("rule", "jobs", "cores", "minutes a job", "MB a job", "core-hours")
    for stage in stages:
        table.add_row(
            stage.rule,
            str(stage.n_jobs),
            str(stage.n_cores),
            f"{stage.minutes:.1f}",
            f"{stage.memory_mb:.0f}",
            f"{stage.core_hours:.2f}",
        )
    console.print(table)
    hours = sum(stage.core_hours for stage in stages)
    console.print(
        f"{sum(stage.n_jobs for stage in stages)} jobs, {hours:.2f} core-hours, "
        f"{hours / cores_per_node:.3f} node-hours at {cores_per_node} cores a node",
        highlight=False,
    )
    _print_search(console, parsed, prediction, costs.evaluation_s, ranks)


def _print_search(
    console: Console, config: Config, prediction: Prediction, evaluation_s: float, ranks: int
) -> None:
    parts = ", ".join(
        f"{name} {seconds:.1f} s"
        for name, seconds in (
            ("evaluation", prediction.evaluation_s),
            ("breeding", prediction.breeding_s),
            ("waiting", prediction.waiting_s),
            ("communication", prediction.communication_s),
        )
    )
    console.print(
        f"a search: at most {n_evaluations(config.genetic)} evaluations of "
        f"{1000 * evaluation_s:.3f} ms, on {ranks} ranks: {parts}",
        highlight=False,
    )


def _stages(
    config: Config, size: Size, search: Prediction, n_features: int, ranks: int, *, sweep: bool
) -> list[StagePlan]:
    variants = variants_of(config) if sweep else []
    n_kinds = len({(v.network, v.layer, v.statistics) for v in variants}) or 1
    n_interpolated = size.n_clips * config.interpolation.n_frames
    plans = []
    for rule, n_jobs, n_frames, n_cores in (
        ("register_faces", size.n_subjects, size.n_frames / size.n_subjects, 1),
        ("interpolate_clips", size.n_subjects, n_interpolated / size.n_subjects, 1),
        ("extract_features", n_kinds, n_interpolated, 2),
    ):
        seconds = START_S + n_frames * SECONDS_PER_FRAME[rule] / n_cores
        plans.append(StagePlan(rule, n_jobs, n_cores, seconds / 60, STAGE_MB[rule]))
    # Features in double precision, unscaled and scaled and by inner fold's order.
    shared_mb = 3 * 8 * size.n_clips * n_features / 2**20
    n_searches = size.n_subjects * (len(variants) or 1)
    plans.append(
        StagePlan(
            "sweep_select_genetic" if sweep else "select_genetic",
            n_searches,
            ranks,
            (START_S + search.total_s) / 60,
            RANK_MB * ranks + shared_mb,
        )
    )
    plans.append(
        StagePlan("evaluate_folds", len(variants) or len(config.evaluation.methods), 1, 0.2, 400)
    )
    return plans


def _size(config: Config, n_frames: int) -> Size:
    """Return the size of the dataset: of its catalog, else as it is known.

    Clips whose frames are not annotated are taken to have ``n_frames``.
    """
    catalog = Path("results", config.experiment, "catalog.tsv")
    if catalog.exists():
        rows = read_catalog(catalog)
        lengths = [
            row.offset - row.onset + 1
            if row.offset is not None and row.onset is not None
            else n_frames
            for row in rows
        ]
        n_subjects = len({row.subject for row in rows})
        n_classes = len({row.label for row in rows})
        return Size(len(rows), n_subjects, n_classes, sum(lengths), str(catalog))
    if config.dataset == "simulated":
        preset = PRESETS[config.simulated.preset]
        n_clips = config.simulated.n_clips or sum(preset.class_sizes.values())
        n_subjects = config.simulated.n_subjects or len(preset.subjects)
        total = round(n_clips * preset.n_frames[0])
        return Size(n_clips, n_subjects, len(preset.class_sizes), total, "preset")
    if config.dataset == "smic":
        n_clips, n_subjects, length = SMIC_SIZES[config.smic.camera]
        return Size(n_clips, n_subjects, 3, n_clips * length, "as published")
    msg = (
        f"{catalog}: a catalog expected for dataset '{config.dataset}', or --clips and --subjects, "
        "found neither"
    )
    raise MerecError(msg)


def _features(
    config: Config, size: Size
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_], str]:
    """Return the experiment's features, or made-up ones of the same shape."""
    store = Path("results", config.experiment, "features", f"{config.features.network}.h5")
    if store.exists():
        found = read_features(store)
        return found.values, found.labels, found.subjects, str(store)
    if config.features.network == "lbp_top":
        n_features = len(lbp_top_names(config.lbp_top))
    else:
        shape = layer_shape(config.features.network, config.features.layer)
        n_features = len(feature_names(config.features, shape))
    rng = np.random.default_rng(0)
    n_factors = ceil(size.n_clips / 2)
    factors = rng.normal(size=(size.n_clips, n_factors)) @ rng.normal(size=(n_factors, n_features))
    values = np.maximum(factors / np.sqrt(n_factors) + rng.normal(size=factors.shape), 0)
    labels = np.arange(size.n_clips) % size.n_classes
    subjects = np.array([f"s{clip % size.n_subjects:03d}" for clip in range(size.n_clips)])
    return values.astype(np.float32), labels, rng.permutation(subjects), "made up"
