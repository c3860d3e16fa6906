"""The configuration, checked before any job, and what is known once the catalog exists."""

import re
import shlex
import sys
from functools import cache
from pathlib import Path

import pandas as pd
from snakemake.utils import Paramspace

from merec_hpc.config.base import to_json
from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import scaling_text
from merec_hpc.config.whole import config_json, parse_config
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows
from merec_hpc.runs.checks import check_clips, check_config, check_files
from merec_hpc.runs.configuration import read_mapping
from merec_hpc.runs.digests import folders_digest, labels_digest, pixels_digest
from merec_hpc.runs.experiment import (
    BLOCKS,
    dataset_folder,
    drawn_flow,
    extraction_of,
    extractions,
    features_name,
    fold_settings,
    landmark_files,
    landmark_weights,
    permutation_jobs,
    permutation_numbers,
    results_folder,
    selection_files,
    selector_settings,
    unit_tables,
)
from merec_hpc.runs.extent import check_simulated
from merec_hpc.runs.variants import (
    ensembles_of,
    genetic_settings,
    variant_extraction,
    variants_of,
)
from merec_hpc.selection.selectors import SELECTORS

try:
    for path in workflow.configfiles:  # Snakemake itself takes the last of two equal keys
        read_mapping(Path(path))
    CONFIG = parse_config(config)
    check_config(CONFIG)
    check_files(CONFIG)
    check_simulated(CONFIG)
except MerecError as error:
    raise WorkflowError(str(error)) from None
SIMULATED = CONFIG.dataset == "simulated"
RESULTS = str(results_folder(CONFIG))
ROOT = str(dataset_folder(CONFIG))
SCALING = scaling_text(CONFIG.scaling, CONFIG.calibration)
STORE = f"results/{{experiment}}/features/{features_name(CONFIG)}.h5"

VARIANTS = Paramspace(pd.DataFrame(map(vars, variants_of(CONFIG))))
VARIANT_PLACES = {pattern: place for place, pattern in enumerate(VARIANTS.instance_patterns)}
SWEEP = "results/{experiment}/sweep"
# The part of a variant that its features depend on, and all but its seed.
KIND = "network~{network}/layer~{layer}/statistics~{statistics}"
SEEDLESS = VARIANTS.wildcard_pattern.rpartition("/")[0]
assert SEEDLESS.startswith(KIND)

# The commands are those of the environment that runs Snakemake, activated or not. A prefix of
# our own replaces Snakemake's, which is this one's strictness.
BIN = shlex.quote(str(Path(sys.executable).parent))
shell.prefix(
    f"set -euo pipefail; export PATH={BIN}:$PATH; "
    # Snakemake tells OpenMP and BLAS how many threads a job has; Numba reads its own variable.
    "export NUMBA_NUM_THREADS=${{OMP_NUM_THREADS:-1}}; "
)


wildcard_constraints:
    experiment=CONFIG.experiment,
    subject="[^/]+",
    fold="[^/]+",
    selector="|".join(SELECTORS),
    features="|".join(re.escape(one.name) for one in extractions(CONFIG)),


def dataset(wildcards):
    """Return the dataset as an input."""
    return [ROOT]


def dataset_digest(wildcards):
    """Return a digest of the dataset's folders; those of the simulated one follow its settings."""
    return "" if SIMULATED else folders_digest(Path(ROOT))


def catalogued_clips():
    """Return the clips of the catalog; of a missing one Snakemake makes a parameter not yet known."""
    path = Path(RESULTS, "catalog.tsv")
    return _catalogued_clips(path, path.stat().st_mtime_ns)


@cache
def _catalogued_clips(path, _state):
    return read_catalog(path, Path(ROOT))


def clips_of(wildcards):
    """Return the clips of the subject of the wildcards, or without one all."""
    wanted = getattr(wildcards, "subject", None)
    return [clip for clip in catalogued_clips() if wanted in (None, clip.subject)]


def clips_digest(wildcards):
    """Return a digest of what one subject's pixels depend on: only its change reruns its jobs."""
    return pixels_digest(Path(ROOT), clips_of(wildcards))


def label_digest(wildcards):
    """Return a digest of the labels of all clips, or of the subject that the wildcards name."""
    return labels_digest(clips_of(wildcards))


def extraction(wildcards):
    """Return what a job extracts: a store of the experiment, or of a sweep."""
    if hasattr(wildcards, "features"):
        return extraction_of(CONFIG, wildcards.features)
    kind = (wildcards.network, wildcards.layer, wildcards.statistics)
    return variant_extraction(CONFIG, *kind)


def feature_weights(wildcards):
    """Return the weights of the network that features are of, if they are of one."""
    name = extraction(wildcards).weights
    return [f"resources/weights/{name}"] if name else []


def block_stores(wildcards):
    """Return the store of each block of features, or of the one extraction."""
    return [f"{RESULTS}/features/{one.name}.h5" for one in extractions(CONFIG)]


def block_tables(wildcards):
    """Return what is known of each block of features alone; nothing of one extraction."""
    names = ("predictions", "shares") if CONFIG.features.blocks else ()
    return [f"{RESULTS}/{BLOCKS}/{name}.csv" for name in names]


def landmark_tables(wildcards):
    """Return the files of a subject's landmarks or of the shape model that the settings name."""
    clips = clips_of(wildcards) if CONFIG.faces.landmarks == "table" else ()
    return landmark_files(CONFIG, clips)


def per_subject(pattern):
    """Return a function that gives a file of each of the catalog's subjects, in its order."""

    def files(wildcards):
        return [f"{RESULTS}/{pattern.format(subject=subject)}" for subject in subjects()]

    return files


def subjects():
    """Return the subjects in the catalog's order, once it is there."""
    indexed = checkpoints.index_dataset.get(experiment=CONFIG.experiment)
    path = Path(indexed.output.catalog)
    return _subjects(path, path.stat().st_mtime_ns)


@cache
def _subjects(path, _state):
    clips = _catalogued_clips(path, _state)
    try:
        check_clips(CONFIG, clips)
    except MerecError as error:
        raise WorkflowError(str(error)) from None
    return list(dict.fromkeys(clip.subject for clip in clips))


def together(name, selector=None):
    """Return the `group` of a rule: as many of its jobs as the profile's group-components say.

    With a selector, of the jobs of that one alone.

    Snakemake's own grouping joins other jobs each time a checkpoint is done, and then runs jobs
    twice or for ever (snakemake#1628). Here a job's place among all jobs of its rule decides.
    """

    def group(wildcards):
        size = workflow.group_settings.group_components.get(name, 1)
        if selector is not None and wildcards.selector != selector:
            return None
        place = _place(wildcards) if size > 1 else None
        if place is None:
            return None
        joined = f"{name}_{place // size}"
        workflow.parent_groupids[joined] = name
        return joined

    return group


def _place(wildcards):
    """Return the place of a job among those of its rule; None of one that nothing has asked for."""
    if hasattr(wildcards, "subject"):
        return _index(subjects(), wildcards.subject)
    fold = _index(fold_names(), wildcards.fold) if hasattr(wildcards, "fold") else 0
    if not hasattr(wildcards, "seed"):
        return fold
    variant = VARIANT_PLACES.get(VARIANTS.wildcard_pattern.format(**wildcards))
    if fold is None or variant is None:
        return None
    return variant * len(fold_names()) + fold if hasattr(wildcards, "fold") else variant


def _index(names, name):
    return names.index(name) if name in names else None


def fold_names():
    """Return the names of the folds, once it is known which clips are left."""
    collected = checkpoints.collect_failures.get(experiment=CONFIG.experiment)
    path = Path(collected.output.folds)
    return _fold_names(path, path.stat().st_mtime_ns)


@cache
def _fold_names(path, _state):
    return [row.fold for row in read_rows(path, FoldSize)]


def method_of(wildcards):
    """Return the method of a job; a sweep's is the genetic search."""
    return Method.parse(getattr(wildcards, "method", "genetic"))


def selections(wildcards):
    """Return the selection of each fold, by the method of the wildcards or by all methods."""
    named = hasattr(wildcards, "method")
    methods = [method_of(wildcards)] if named else CONFIG.evaluation.methods
    return selection_files(CONFIG, methods, fold_names())


def fold_table(wildcards):
    """Return the table of each fold's subjects, where a fold is not simply a subject."""
    if CONFIG.evaluation.protocol == "leave_one_subject_out":
        return []
    return [f"{RESULTS}/fold_subjects.tsv"]


def permutations(wildcards):
    """Return the tables of permuted runs; none if the configuration asks for none."""
    jobs = permutation_jobs(CONFIG)
    return [f"{RESULTS}/permutations/{method}/{job}.csv" for method, job in jobs]


def asked(name):
    """Return a resource of a selector's job, more of it at each attempt."""

    def amount(wildcards, attempt):
        return getattr(SELECTORS[wildcards.selector], name) * attempt

    return amount


def repeated(option, values):
    """Return an option before each of its values (one path may come as a string)."""
    values = [values] if isinstance(values, str) else values
    return [part for value in values for part in (option, value)]


def sweep_selections(wildcards):
    """Return the selection of each fold of a variant."""
    pattern = f"{SWEEP}/selection/{VARIANTS.wildcard_pattern}".format(**wildcards)
    return [f"{pattern}/{fold}.h5" for fold in fold_names()]


def seeds_selections(wildcards):
    """Return the selections of all seeds of a variant, fold by fold."""
    stem = f"{SWEEP}/selection/{SEEDLESS}".format(**wildcards)
    seeds = CONFIG.sweep.seeds
    return [f"{stem}/seed~{seed}/{fold}.h5" for fold in fold_names() for seed in seeds]
