"""Say what a configuration will cost before anything is submitted."""

from collections import Counter
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from merec_hpc.commands.options import ConfigFiles, ConfigKeys
from merec_hpc.config.sweep import SweepSettings
from merec_hpc.config.whole import Config
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.schemes import find_scheme
from merec_hpc.dataset.simulated import PRESETS
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import layer_shape
from merec_hpc.features.lbp_top import lbp_top_names
from merec_hpc.features.statistics import feature_names
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.runs.configuration import DEFAULT_FILES, read_config
from merec_hpc.runs.cost import (
    Interconnect,
    measure_costs,
    n_evaluations,
    predict_search,
)
from merec_hpc.runs.experiment import features_name, selectors_of
from merec_hpc.runs.variants import ensembles_of, feature_settings, variants_of
from merec_hpc.store.features import read_features

# Seconds a frame on one core, and megabytes, of the stages before selection, as Snakemake's
# benchmarks of the simulated dataset have them (640 x 480 in, 224 x 224 out, MobileNetV2).
SECONDS_PER_FRAME = {
    "register_faces": 0.04,
    "interpolate_clips": 0.005,
    "extract_features": 0.03,
    "extract_lbp_top": 0.0003,
}
STAGE_MB = {
    "register_faces": 500,
    "interpolate_clips": 400,
    "extract_features": 900,
    "extract_lbp_top": 400,
}
# What a rank takes besides its share of the features (docs/speed.md).
RANK_MB = 250
# Of every job: Snakemake twice, and the imports of the command.
START_S = 8.0
INFINIBAND = Interconnect(latency_s=2e-6, bytes_per_s=12.5e9)
SMIC_FRAMES = {"HS": 34, "VIS": 10, "NIR": 10}  # of a clip, on average


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
    remark: str = ""

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
    clips: Annotated[
        int | None, typer.Option(min=3, help="Clips of a dataset that is not here.")
    ] = None,
    subjects: Annotated[int | None, typer.Option(min=2, help="Its subjects.")] = None,
    classes: Annotated[int, typer.Option(min=2, help="Its classes.")] = 3,
    frames: Annotated[int, typer.Option(min=1, help="Its frames a clip.")] = 40,
) -> None:
    """Print expected jobs, time, node-hours and memory of a configuration.

    Evaluations are timed here and now, on features of the same shape, or on those of the
    experiment if they are there: run it on the kind of node that will do the work.
    """
    limit_library_threads()
    parsed = read_config(configfile, config or [])
    if (clips is None) != (subjects is None):
        msg = "--clips and --subjects expected together, found one of them"
        raise MerecError(msg)
    if clips is not None and subjects is not None:
        size = Size(clips, subjects, classes, clips * frames, "options")
    else:
        size = _size(parsed, frames)
    searches = [
        _plan_searches(kind, n_searches, size, ranks)
        for kind, n_searches in _kinds(parsed, size, sweep=sweep)
    ]
    stages = [*_stages(parsed, size, n_kinds=len(searches), sweep=sweep), *searches]
    console = Console(soft_wrap=True)
    console.print(
        f"{size.n_clips} clips, {size.n_subjects} subjects, {size.n_frames} frames ({size.source})",
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
    for search in searches:
        console.print(search.remark, highlight=False, markup=False)


def _kinds(config: Config, size: Size, *, sweep: bool) -> list[tuple[Config, int]]:
    """Return a configuration for each kind of features, and how many searches use it."""
    if not sweep:
        wanted = any(method.selector == "genetic" for method in config.evaluation.methods)
        return [(config, size.n_subjects)] if wanted else []
    counts = Counter((v.network, v.layer, v.statistics) for v in variants_of(config))
    return [
        (
            replace(
                config,
                experiment=f"{config.experiment}.sweep",  # whose features are not there
                features=feature_settings(config, network, layer, statistics.split("+")),  # type: ignore[arg-type]  # validated
                sweep=SweepSettings(),
            ),
            count * size.n_subjects,
        )
        for (network, layer, statistics), count in counts.items()
    ]


def _plan_searches(config: Config, n_searches: int, size: Size, ranks: int) -> StagePlan:
    """Time evaluations on features of the shape, and predict the searches."""
    values, labels, groups, source = _features(config, size)
    costs = measure_costs(values, labels, groups, config.genetic)
    n_features = values.shape[1]
    search = predict_search(config.genetic, n_features, ranks, costs, INFINIBAND)
    parts = ", ".join(
        f"{name} {seconds:.1f} s"
        for name, seconds in (
            ("evaluation", search.evaluation_s),
            ("breeding", search.breeding_s),
            ("waiting", search.waiting_s),
            ("communication", search.communication_s),
        )
    )
    swept = config.experiment.endswith(".sweep")
    name = f"{config.features.layer} {'+'.join(config.features.statistics)}" if swept else ""
    # Features in double precision, unscaled and scaled and in the order of inner folds.
    shared_mb = 3 * 8 * size.n_clips * n_features / 2**20
    return StagePlan(
        f"sweep_select_genetic {name}" if swept else "select_genetic",
        n_searches,
        ranks,
        (START_S + search.total_s) / 60,
        RANK_MB * ranks + shared_mb,
        f"a search of {n_features} features ({source}): at most {n_evaluations(config.genetic)} "
        f"evaluations of {1000 * costs.evaluation_s:.3f} ms, on {ranks} ranks: {parts}",
    )


def _stages(config: Config, size: Size, *, n_kinds: int, sweep: bool) -> list[StagePlan]:
    """Return what comes before the searches, and what is as cheap beside them."""
    n_interpolated = size.n_clips * config.interpolation.n_frames
    extraction = "extract_features"
    if config.features.extractor == "lbp_top" and not sweep:
        extraction = "extract_lbp_top"
    plans = []
    for rule, n_jobs, n_frames, n_cores in (
        ("register_faces", size.n_subjects, size.n_frames / size.n_subjects, 1),
        ("interpolate_clips", size.n_subjects, n_interpolated / size.n_subjects, 1),
        (extraction, n_kinds or 1, n_interpolated, 2),
    ):
        seconds = START_S + n_frames * SECONDS_PER_FRAME[rule] / n_cores
        plans.append(StagePlan(rule, n_jobs, n_cores, seconds / 60, STAGE_MB[rule]))
    n_scored = len(config.evaluation.methods)
    if sweep:
        n_scored = len(variants_of(config)) + len(ensembles_of(config))
    elif "all_features" in selectors_of(config.evaluation.methods):
        plans.append(StagePlan("select_all_features", size.n_subjects, 1, START_S / 60, 400))
    plans.append(StagePlan("evaluate_folds", n_scored, 1, START_S / 60, 400))
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
        preset = PRESETS[config.dataset_settings.preset]
        n_clips = config.dataset_settings.n_clips or sum(preset.class_sizes.values())
        n_subjects = config.dataset_settings.n_subjects or len(preset.subjects)
        total = round(n_clips * preset.n_frames[0])
        return Size(n_clips, n_subjects, len(preset.class_sizes), total, "preset")
    if config.dataset == "smic":
        camera = config.dataset_settings.camera
        scheme = find_scheme(f"smic-{camera.lower()}-3")
        n_clips, n_subjects = sum(scheme.counts), scheme.n_subjects or 0
        total = n_clips * SMIC_FRAMES[camera]
        return Size(n_clips, n_subjects, len(scheme.classes), total, "as published")
    msg = (
        f"{catalog}: a catalog expected for dataset '{config.dataset}', or --clips and --subjects, "
        "found neither"
    )
    raise MerecError(msg)


def _features(
    config: Config, size: Size
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_], str]:
    """Return the experiment's features, or made-up ones of the same shape."""
    store = Path("results", config.experiment, "features", f"{features_name(config)}.h5")
    if store.exists():
        found = read_features(store)
        return found.values, found.labels, found.subjects, str(store)
    if config.features.extractor == "lbp_top":
        n_features = len(lbp_top_names(config.lbp_top))
    else:
        shape = layer_shape(
            config.features.network, config.features.layer, config.features.input_px
        )
        n_features = len(feature_names(config.features, shape))
    rng = np.random.default_rng(0)
    n_factors = ceil(size.n_clips / 2)
    factors = rng.normal(size=(size.n_clips, n_factors)) @ rng.normal(size=(n_factors, n_features))
    values = np.maximum(factors / np.sqrt(n_factors) + rng.normal(size=factors.shape), 0)
    labels = np.arange(size.n_clips) % size.n_classes
    subjects = np.array([f"s{clip % size.n_subjects:03d}" for clip in range(size.n_clips)])
    return values.astype(np.float32), labels, rng.permutation(subjects), "made up"
