"""The configuration, checked before any job, and what is known once the catalog exists."""

import shlex
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import pandas as pd
from snakemake.utils import Paramspace

from merec_hpc.config.base import to_json
from merec_hpc.config.selection import RANKING_NAMES, SEARCHES, section_of
from merec_hpc.config.whole import parse_config
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.errors import MerecError
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.dataset.frames import file_states, folder_states
from merec_hpc.runs.variants import ensembles_of, feature_settings, genetic_settings, variants_of
from merec_hpc.files.rows import read_rows

try:
    CONFIG = parse_config(config)
except MerecError as error:
    raise WorkflowError(str(error)) from None
SIMULATED = CONFIG.dataset == "simulated"
RESULTS = f"results/{CONFIG.experiment}"
# One spelling of the folder: another would look like another setting.
ROOT = f"{RESULTS}/simulated" if SIMULATED else str(CONFIG.dataset_root.resolve())

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
    ranking="|".join(RANKING_NAMES),
    search="|".join([*SEARCHES, *(f"ranked_forward_{name}" for name in RANKING_NAMES)]),


def dataset_folder(wildcards):
    """Return the dataset as an input; a missing one is reported by the command, in one line."""
    return [ROOT] if SIMULATED or Path(ROOT).is_dir() else []


def dataset_digest(wildcards):
    """Return a digest of the dataset's folders: a new subject, far below its root, is noticed."""
    if SIMULATED or not Path(ROOT).is_dir():
        return ""
    return sha256(repr(folder_states(Path(ROOT))).encode()).hexdigest()[:16]


def clips_digest(wildcards):
    """Return a digest of what one subject's pixels depend on: only its change reruns its jobs."""
    own = [clip for clip in catalogued_clips() if clip.subject == wildcards.subject]
    states = [(clip.clip, clip.source, clip.span, file_states(Path(ROOT), clip)) for clip in own]
    return sha256(repr(states).encode()).hexdigest()[:16]


def labels_digest(wildcards):
    """Return a digest of the labels of all clips, or of the subject that the wildcards name."""
    wanted = getattr(wildcards, "subject", None)
    own = [(clip.clip, clip.label) for clip in catalogued_clips() if wanted in (None, clip.subject)]
    return sha256(repr(own).encode()).hexdigest()[:16]


def catalogued_clips():
    """Return the clips of the catalog; of a missing one Snakemake makes a parameter not yet known."""
    path = Path(RESULTS, "catalog.tsv")
    return _catalogued_clips(path, path.stat().st_mtime_ns)


@cache
def _catalogued_clips(path, _state):
    return read_catalog(path, Path(ROOT))


def landmark_weights():
    """Return the weights of the landmark engine, if they are fetched."""
    name = CONFIG.faces.landmarks
    if CONFIG.faces.registration == "none":
        return []
    return [f"resources/weights/{name}"] if name in ("face_mesh", "dlib") else []


def landmark_tables(wildcards):
    """Return the files of a subject's landmarks or of the shape model that the settings name."""
    faces = CONFIG.faces
    if faces.landmarks == "active_shape":
        return [str(faces.shape_model)] if faces.shape_model else []
    if faces.landmarks != "table":
        return []
    clips = read_catalog(Path(RESULTS, "catalog.tsv"))
    tables = [
        faces.landmark_tables / f"{clip.clip}.csv"
        for clip in clips
        if clip.subject == wildcards.subject
    ]
    # A missing one leaves its clip out, with the reason.
    return [str(table) for table in tables if table.is_file()]


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
    return list(dict.fromkeys(clip.subject for clip in read_catalog(path)))


def together(name):
    """Return the `group` of a rule: as many of its jobs as the profile's group-components say.

    Snakemake's own grouping joins other jobs each time a checkpoint is done, and then runs jobs
    twice or for ever (snakemake#1628). Here a job's place among all jobs of its rule decides.
    """

    def group(wildcards):
        size = workflow.group_settings.group_components.get(name, 1)
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


def selections(wildcards):
    """Return the selection of each fold, by the method of the wildcards or by all methods."""
    folds = fold_names()
    methods = [wildcards.method] if hasattr(wildcards, "method") else CONFIG.evaluation.methods
    selectors = dict.fromkeys(method.partition("+")[0] for method in methods)
    return [f"{RESULTS}/selection/{name}/{fold}.h5" for name in selectors for fold in folds]


def fold_table(wildcards):
    """Return the table of each fold's subjects, where a fold is not simply a subject."""
    if CONFIG.evaluation.protocol == "leave_one_subject_out":
        return []
    return [f"{RESULTS}/fold_subjects.tsv"]


def permutation_jobs(wildcards):
    """Return the tables of permuted runs; none if the configuration asks for none."""
    settings = CONFIG.permutation
    if not settings.n_permutations:
        return []
    n_jobs = 1 + settings.n_permutations // settings.permutations_per_job
    return [
        f"{RESULTS}/permutations/{method}/{job}.csv"
        for method in settings.methods
        for job in range(n_jobs)
    ]


def permutation_numbers(wildcards):
    """Return the permutations of a job: 0, the labels as they are, is the first of the first."""
    size = CONFIG.permutation.permutations_per_job
    first = int(wildcards.job) * size
    last = min(first + size, CONFIG.permutation.n_permutations + 1)
    return repeated("--permutation", [str(number) for number in range(first, last)])


def selector_settings(wildcards):
    """Return the settings of a method's selector."""
    return to_json(getattr(CONFIG, section_of(wildcards.method.partition("+")[0])))


def decider_of(wildcards):
    """Return who decides by what a method has selected: the champion, where none is named."""
    return getattr(wildcards, "method", "").partition("+")[2] or "champion"


def repeated(option, values):
    """Return an option before each of its values (one path may come as a string)."""
    values = [values] if isinstance(values, str) else values
    return [part for value in values for part in (option, value)]


def sweep_features(wildcards):
    """Return the settings of a variant's features."""
    statistics = wildcards.statistics.split("+")
    return to_json(feature_settings(CONFIG, wildcards.network, wildcards.layer, statistics))


def sweep_selections(wildcards):
    """Return the selection of each fold of a variant."""
    pattern = f"{SWEEP}/selection/{VARIANTS.wildcard_pattern}".format(**wildcards)
    return [f"{pattern}/{fold}.h5" for fold in fold_names()]


def seeds_selections(wildcards):
    """Return the selections of all seeds of a variant, fold by fold."""
    stem = f"{SWEEP}/selection/{SEEDLESS}".format(**wildcards)
    seeds = CONFIG.sweep.seeds
    return [f"{stem}/seed~{seed}/{fold}.h5" for fold in fold_names() for seed in seeds]
