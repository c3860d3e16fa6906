"""Predicts time, memory and disk of the jobs that are still to run, rule by rule.

Searches and selectors are measured here and now, on the features of the experiment or on made-up
ones of their shape. Of the other stages constants are known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from merec_hpc.config.evaluation import Method
from merec_hpc.config.features import FeatureSettings
from merec_hpc.config.scaling import scaling_of
from merec_hpc.config.selection import AnySettings, GeneticSettings, InnerSettings
from merec_hpc.config.whole import Config
from merec_hpc.criteria import OF_DECISIONS
from merec_hpc.dataset.simulated import PRESETS, plan_clips, size_on_disk
from merec_hpc.features.extractors import find_extractor
from merec_hpc.learning.scaling import Scaling
from merec_hpc.records import Features
from merec_hpc.runs.cost import Prediction, measure_costs, n_evaluations, predict_search
from merec_hpc.runs.experiment import (
    Extraction,
    extraction_of,
    extractions,
    inner_differences,
    permutation_numbers,
    selector_settings,
)
from merec_hpc.runs.extent import Extent
from merec_hpc.runs.jobs import Job, jobs_of
from merec_hpc.runs.remaining import State, job_states
from merec_hpc.runs.selector_cost import (
    INFINIBAND,
    MEASURED,
    FoldSample,
    evaluation_seconds,
    n_masks_kept,
    selection_seconds,
)
from merec_hpc.runs.variants import genetic_settings, variant_extraction
from merec_hpc.selection.fitness.genome import Genome
from merec_hpc.selection.fitness.grouped import grouped
from merec_hpc.selection.fitness.unit_fitness import find_genome, fitness_of
from merec_hpc.selection.selectors import SELECTORS
from merec_hpc.store.features import read_features

# Seconds a frame on one core, as Snakemake's benchmarks of the simulated dataset have them
# (640 x 480 in, 224 x 224 out); features.extractors has those of extraction.
SIMULATE_S, REGISTER_S, KEEP_S = 0.12, 0.04, 0.02
# Of a frame of which the apex is searched, on a face of 224 x 224.
APEX_S = {"difference": 0.003, "flow": 0.008, "dc_rois": 0.02}
_MADE_UP = 32  # features of a group, where there are no features yet
# Of every job: Snakemake twice, and the imports of the command. Of a local one the command alone.
START_S, LOCAL_S = 8.0, 3.0
# What a process takes that reads features, and one with a network, besides its arrays.
PROCESS_MB, NETWORK_MB = 250.0, 1100.0
# Megabytes that a rule asks for at first, where neither extractor nor selector says.
ASKED_MB = {
    "simulate": 2000,
    "register_faces": 2000,
    "find_apexes": 2000,
    "interpolate_clips": 2000,
    "evaluate_blocks": 2000,
    "evaluate_folds": 1000,
    "sweep_evaluate_folds": 1000,
    "run_permutation": 2000,
}
RANK_ASKS_MB = 1000  # as the rule for its two ranks, and the profile for each
MOST_CLIPS = 1000  # that are measured on; of more the time grows with their square
SMALL_S, SMALL_MB = 60.0, 100.0  # a search that needs no more than two ranks


@dataclass(frozen=True)
class JobCost:
    """What one job is expected to take."""

    seconds: float
    memory_mb: float
    disk_bytes: float = 0.0
    n_cores: int = 1


@dataclass(frozen=True)
class RulePlan:
    """The jobs of a rule, or of one part of it."""

    rule: str
    part: str
    """A selector, a method or a kind of features; often nothing."""
    n_jobs: int
    """To run."""
    n_done: int
    n_cores: int
    minutes: float
    """Of the longest job."""
    asked_mb: int | None
    """What the rule asks for a job at first; nothing for jobs that are not submitted."""
    memory_mb: float
    """What is expected of a job."""
    core_hours: float
    disk_bytes: float


@dataclass(frozen=True)
class Plan:
    """What is to run, and what it takes."""

    rules: tuple[RulePlan, ...]
    notes: tuple[str, ...]

    @property
    def n_jobs(self) -> int:
        """Jobs to run."""
        return sum(row.n_jobs for row in self.rules)

    @property
    def core_hours(self) -> float:
        """Of all jobs to run."""
        return sum(row.core_hours for row in self.rules)

    @property
    def peak_mb(self) -> float:
        """Of the largest job to run."""
        return max((row.memory_mb for row in self.rules if row.n_jobs), default=0.0)

    @property
    def disk_bytes(self) -> float:
        """Of what the jobs to run will write."""
        return sum(row.disk_bytes for row in self.rules)


def make_plan(
    config: Config,
    extent: Extent,
    *,
    n_ranks: int,
    sweep: bool = False,
    folder: Path = Path(),
) -> Plan:
    """Count the jobs of an experiment or of its sweep, and predict what those to run will take."""
    jobs = jobs_of(config, extent, sweep=sweep)
    states = job_states(jobs, folder)
    costs = _Costs(config, extent, n_ranks, _features_there(jobs, states, folder))
    groups: dict[tuple[str, str], list[int]] = {}
    for place, job in enumerate(jobs):
        groups.setdefault((job.rule, job.part), []).append(place)
    rows = []
    for (rule, part), places in groups.items():
        due = [costs.of(jobs[place]) for place in places if states[place] != "done"]
        rows.append(
            RulePlan(
                rule,
                part,
                n_jobs=len(due),
                n_done=len(places) - len(due),
                n_cores=max((cost.n_cores for cost in due), default=1),
                minutes=max((cost.seconds for cost in due), default=0.0) / 60,
                asked_mb=asked_mb(config, jobs[places[0]], n_ranks),
                memory_mb=max((cost.memory_mb for cost in due), default=0.0),
                core_hours=sum(cost.seconds * cost.n_cores for cost in due) / 3600,
                disk_bytes=sum(cost.disk_bytes for cost in due),
            )
        )
    return Plan(tuple(rows), (*costs.notes, *_differences(config, sweep=sweep)))


def asked_mb(config: Config, job: Job, n_ranks: int) -> int | None:
    """Return the memory that a rule asks for its job at the first attempt."""
    if job.rule.endswith("select_genetic"):
        return RANK_ASKS_MB * n_ranks
    if job.rule == "select":
        return SELECTORS[job.part].memory_mb
    if job.rule == "extract_features":
        return _extraction_of(config, job).kind.memory_mb
    if job.rule == "sweep_extract_features":
        return _variant_extraction(config, job.part).kind.memory_mb
    if job.rule == "sweep_evaluate_seeds":
        return 1000 + 100 * len(config.sweep.seeds)
    return ASKED_MB.get(job.rule)


def _extraction_of(config: Config, job: Job) -> Extraction:
    """Return what a job extracts: a variant's, a block, or the experiment's one extraction."""
    if job.rule == "sweep_extract_features":
        return _variant_extraction(config, job.part)
    return extraction_of(config, job.part) if config.features.blocks else extractions(config)[0]


def _variant_extraction(config: Config, part: str) -> Extraction:
    network, layer, statistics = (one.partition("~")[2] for one in part.split("/"))
    return variant_extraction(config, network, layer, statistics)


def _features_there(jobs: Sequence[Job], states: Sequence[State], folder: Path) -> Path | None:
    """Return the experiment's features, if they are there and of this configuration."""
    found = None
    joined = any(job.rule == "join_features" for job in jobs)
    for job, state in zip(jobs, states, strict=True):
        if job.rule == ("join_features" if joined else "extract_features") and state == "done":
            found = folder / job.outputs[0]
    return found


def _differences(config: Config, *, sweep: bool) -> list[str]:
    if sweep:
        return []
    said = inner_differences(config)
    return [f"methods are scored differently on the inner folds: {one}" for one in said]


class _Costs:
    """Predicts jobs; what is measured is measured once, and only if it is to run."""

    def __init__(self, config: Config, extent: Extent, n_ranks: int, store: Path | None) -> None:
        self._config, self._extent, self._store = config, extent, store
        self._n_ranks = n_ranks
        self._samples: dict[tuple[object, ...], tuple[FoldSample, float]] = {}
        self._seconds: dict[tuple[str, str], float] = {}
        self._searches: dict[tuple[str, str], Prediction] = {}
        self.notes: list[str] = []

    def of(self, job: Job) -> JobCost:
        """Return what a job is expected to take."""
        if job.is_local:
            return JobCost(0.0 if job.rule in {"all", "sweep"} else LOCAL_S, PROCESS_MB)
        stages: dict[str, Callable[[Job], JobCost]] = {
            "simulate": self._simulation,
            "register_faces": self._registration,
            "find_apexes": self._apexes,
            "interpolate_clips": self._interpolation,
            "evaluate_blocks": self._block_evaluation,
            "extract_features": self._extraction,
            "sweep_extract_features": self._extraction,
            "select": self._selection,
            "select_genetic": self._search,
            "sweep_select_genetic": self._search,
            "run_permutation": self._permutation,
        }
        return stages.get(job.rule, self._evaluation)(job)

    def _simulation(self, _job: Job) -> JobCost:
        settings = self._config.dataset_settings
        clips = plan_clips(settings)
        seconds = SIMULATE_S * sum(clip.n_frames for clip in clips) / 2
        bytes_ = size_on_disk(clips, PRESETS[settings.preset])
        return JobCost(START_S + seconds, 2 * PROCESS_MB, bytes_, 2)

    def _registration(self, job: Job) -> JobCost:
        n_frames = self._extent.frames_of(job.unit)
        return JobCost(START_S + REGISTER_S * n_frames, 500.0, n_frames * self._frame_bytes)

    def _apexes(self, _job: Job) -> JobCost:
        known = zip(self._extent.clips, self._extent.n_frames, strict=True)
        n_frames = sum(count for clip, count in known if clip.apex is None)
        seconds = APEX_S[self._config.apex.method] * n_frames / 2
        return JobCost(START_S + seconds, 2 * PROCESS_MB, 100.0 * len(self._extent.clips), 2)

    def _interpolation(self, job: Job) -> JobCost:
        n_frames = self._extent.clips_of(job.unit) * self._config.interpolation.n_frames
        size = 1 if self._config.clips.format == "uint8" else 2
        written = n_frames * self._frame_bytes * size  # at most: they are compressed
        clip_mb = self._config.interpolation.n_frames * self._frame_bytes * 4 / 2**20
        return JobCost(START_S + KEEP_S * n_frames, PROCESS_MB + 4 * clip_mb, written)

    @property
    def _frame_bytes(self) -> int:
        return int(self._config.faces.size_px**2 * 3)

    def _extraction(self, job: Job) -> JobCost:
        config = self._config
        extraction = _extraction_of(config, job)
        kind = extraction.kind
        n_clips = len(self._extent.clips)
        n_frames = n_clips * config.interpolation.n_frames
        clip_mb = config.interpolation.n_frames * self._frame_bytes * 4 / 2**20
        memory = PROCESS_MB + (NETWORK_MB if kind.has_weights else 0) + 8 * clip_mb
        # The parts of subjects stay beside the store.
        written = 2 * n_clips * _count(extraction.extractor, extraction.settings) * 4
        return JobCost(START_S + kind.seconds_per_frame * n_frames / 2, memory, written, 2)

    def _selection(self, job: Job) -> JobCost:
        seconds = self._selector_seconds(job.part)
        return JobCost(
            START_S + seconds, self._selection_mb(""), self._selection_bytes(job.part, "")
        )

    def _search(self, job: Job) -> JobCost:
        search = self._prediction(job.part, job.unit)
        # Two checkpoints stay beside the selection.
        written = 3 * self._selection_bytes("genetic", job.part)
        memory = PROCESS_MB * (self._n_ranks - 1) + self._selection_mb(job.part)
        return JobCost(START_S + search.total_s, memory, written, self._n_ranks)

    def _permutation(self, job: Job) -> JobCost:
        method = Method.parse(job.part)
        n_times = len(permutation_numbers(self._config, int(job.unit))) * len(self._extent.folds)
        # Linear machines decide, whatever the evaluation has.
        one = self._selector_seconds(method.selector) + self._decider_seconds(method, "linear_svm")
        return JobCost(START_S + n_times * one, self._selection_mb(""))

    def _evaluation(self, job: Job) -> JobCost:
        n_folds, classifier = len(self._extent.folds), self._config.evaluation.classifier
        if job.rule == "evaluate_folds":
            seconds = n_folds * self._decider_seconds(Method.parse(job.unit), classifier)
            return JobCost(START_S + seconds, self._selection_mb(""))
        kind = job.unit.partition("/criterion~")[0]
        n_seeds = len(self._config.sweep.seeds) if job.rule == "sweep_evaluate_seeds" else 1
        decider = Method("genetic", "ensemble" if n_seeds > 1 else "champion")
        seconds = n_seeds * n_folds * self._decider_seconds(decider, classifier, kind)
        return JobCost(START_S + seconds, self._selection_mb(kind))

    def _block_evaluation(self, _job: Job) -> JobCost:
        # Each block's machines see a part of the features: all of them together about as many.
        seconds = len(self._extent.folds) * self._selector_seconds("all_features")
        return JobCost(START_S + 2 * seconds, self._selection_mb(""))

    def _config_of(self, part: str) -> Config:
        """Return the configuration of a kind of features: a sweep's, or the experiment's own."""
        if not part.startswith("network~"):
            return self._config
        settings = _variant_extraction(self._config, part).settings
        is_own = not isinstance(settings, FeatureSettings)
        return self._config if is_own else replace(self._config, features=settings)

    def _selector_seconds(self, selector: str) -> float:
        key = ("", selector)
        if key not in self._seconds:
            settings = selector_settings(self._config, selector)
            sample, scale = self._sample("", settings)
            self._seconds[key] = scale * selection_seconds(sample, selector, settings)
            if SELECTORS[selector].section not in MEASURED:
                self.notes.append(f"time of {selector}: what its jobs ask for, nothing measured")
        return self._seconds[key]

    def _decider_seconds(self, method: Method, classifier: str, kind: str = "") -> float:
        key = (kind, f"{method} {classifier}")
        if key not in self._seconds:
            settings = selector_settings(self._config, method.selector)
            sample, scale = self._sample(kind, settings)
            oversampling = self._config.evaluation.oversampling
            self._seconds[key] = scale * evaluation_seconds(
                sample, method, settings, classifier, oversampling
            )
        return self._seconds[key]

    def _prediction(self, part: str, unit: str) -> Prediction:
        """Predict a search; the criterion of a variant changes its time, its seed does not."""
        settings = self._config.genetic
        criterion = settings.criterion
        if part:
            criterion = unit.partition("criterion~")[2].partition("/")[0]
            settings = genetic_settings(self._config, criterion, settings.seed)
        key = (part, criterion)
        if key not in self._searches:
            sample, scale = self._sample(part, settings)
            costs = replace(sample.costs, evaluation_s=scale * sample.costs.evaluation_s)
            n_features = sample.fitness.n_features
            found = predict_search(settings, n_features, self._n_ranks, costs, INFINIBAND)
            on_two = predict_search(settings, n_features, 2, costs, INFINIBAND)
            self._searches[key] = found
            self.notes.append(self._said(part, settings, n_features, costs.evaluation_s, found))
            if on_two.total_s < SMALL_S and self._shared_mb(part) < SMALL_MB and self._n_ranks > 2:
                self.notes.append(
                    f"such a search takes {on_two.total_s:.0f} s on 2 ranks, its features "
                    f"{self._shared_mb(part):.0f} MB: one or two ranks are enough (--ranks 2 here, "
                    "tasks: 2 in the profile)"
                )
        return self._searches[key]

    def _said(
        self,
        part: str,
        settings: GeneticSettings,
        n_features: int,
        each_s: float,
        found: Prediction,
    ) -> str:
        parts = ", ".join(
            f"{name} {seconds:.1f} s"
            for name, seconds in (
                ("evaluation", found.evaluation_s),
                ("breeding", found.breeding_s),
                ("waiting", found.waiting_s),
                ("communication", found.communication_s),
            )
        )
        source = self._source(self._config_of(part))
        made = "made up" if part or source is None else str(source)
        return (
            f"a search of {n_features} features ({made}): at most {n_evaluations(settings)} "
            f"evaluations of {1000 * each_s:.3f} ms, on {self._n_ranks} ranks: {parts}"
        )

    def _shared_mb(self, kind: str) -> float:
        """Return the size of the features in double precision: unscaled, scaled, in folds' order."""
        n_features = _count_features(self._config_of(kind))
        return 3 * 8 * len(self._extent.clips) * n_features / 2**20

    def _selection_mb(self, kind: str) -> float:
        return PROCESS_MB + self._shared_mb(kind)

    def _selection_bytes(self, selector: str, kind: str) -> float:
        n_masks = n_masks_kept(selector_settings(self._config, selector))
        return n_masks * (ceil(_count_features(self._config_of(kind)) / 8) + 16)

    def _source(self, config: Config) -> Path | None:
        """Return the experiment's features, if they are there; of a sweep's none are."""
        return self._store if config is self._config else None

    def _sample(self, kind: str, settings: AnySettings) -> tuple[FoldSample, float]:
        """Return what is measured on, and by how much the real clips take longer."""
        inner = settings if isinstance(settings, InnerSettings) else InnerSettings()
        of_decisions = inner.criterion in OF_DECISIONS
        genes = (inner.unit, inner.unit_table, getattr(inner, "genome", "mask"))
        key = (kind, inner.n_inner_folds, inner.n_groupings, of_decisions, *genes)
        if key not in self._samples:
            config = self._config_of(kind)
            training, n_clips = self._training(config)
            if n_clips > MOST_CLIPS:
                self.notes.append(
                    f"measured on {MOST_CLIPS} of {n_clips} clips; the time is taken to grow with "
                    "the square of their number"
                )
            learnt = Scaling.learn(training, scaling_of(config.scaling, config.calibration))
            clips = learnt.apply(training), training.labels, training.subjects
            fitness = grouped(fitness_of(clips, self._genome(training, inner), inner), inner)
            measured = replace(config.genetic, criterion=inner.criterion)
            sample = FoldSample(fitness, measure_costs(fitness, measured))
            self._samples[key] = sample, (n_clips / len(training.labels)) ** 2
        return self._samples[key]

    def _genome(self, training: Features, inner: InnerSettings) -> Genome | None:
        """Return what genes stand for: of made-up features, which have no names, made-up groups."""
        if len(training.names):
            return find_genome(training, inner)
        places = np.arange(training.values.shape[1])
        named = replace(training, names=places.astype(np.str_))
        if inner.unit == "feature":
            return find_genome(named, inner)
        note = f"groups of features (unit {inner.unit}) are made up, of {_MADE_UP} each"
        if note not in self.notes:
            self.notes.append(note)
        named = replace(named, blocks=(places // _MADE_UP).astype(np.str_))
        return find_genome(named, replace(inner, unit="block", unit_table=None))

    def _training(self, config: Config) -> tuple[Features, int]:
        """Return clips that the first fold trains on, no more than needed, and how many it has."""
        features = self._features(config)
        first = self._extent.folds[0].fold
        held = {row.subject for row in self._extent.members if row.fold == first}
        seen = np.flatnonzero([str(subject) not in held for subject in features.subjects])
        kept = seen
        if len(seen) > MOST_CLIPS:
            kept = seen[np.linspace(0, len(seen) - 1, MOST_CLIPS).astype(np.int64)]
        folds = np.full(len(features.subjects), first)
        folds[kept] = ""
        return replace(features, folds=folds).without(first), len(seen)

    def _features(self, config: Config) -> Features:
        """Return the experiment's features, or made-up ones of the same shape."""
        store = self._source(config)
        if store is not None:
            return read_features(store)
        clips, n_features = self._extent.clips, _count_features(config)
        classes = sorted({clip.label for clip in clips})
        rng = np.random.default_rng(0)
        n_factors = ceil(min(len(clips), 2 * MOST_CLIPS) / 2)
        rows = rng.normal(size=(len(clips), n_factors)).astype(np.float32)
        columns = rng.normal(size=(n_factors, n_features)).astype(np.float32)
        noise = rng.normal(size=(len(clips), n_features)).astype(np.float32)
        return Features(
            values=np.maximum(rows @ columns / np.float32(np.sqrt(n_factors)) + noise, 0),
            labels=np.array([classes.index(clip.label) for clip in clips], np.int64),
            subjects=np.array([clip.subject for clip in clips], np.str_),
            clips=np.array([clip.clip for clip in clips], np.str_),
            names=np.array([], np.str_),
            class_names=np.array(classes, np.str_),
        )


def _count_features(config: Config) -> int:
    return sum(_count(one.extractor, one.settings) for one in extractions(config))


@cache
def _count(extractor: str, settings: Any) -> int:
    """Return the number of features of a clip; a network is built for it, which takes a while."""
    return find_extractor(extractor).load().count_features(settings)
