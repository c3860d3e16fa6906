"""The configuration, checked before any job, and what is known once the catalog exists."""

from hashlib import sha256
from pathlib import Path

from merec_hpc.config import parse_config, to_json
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.evaluation.folds import SubjectFold
from merec_hpc.tables import read_rows

CONFIG = parse_config(config)
SIMULATED = CONFIG.dataset == "simulated"
ROOT = (
    f"results/{CONFIG.experiment}/simulated" if SIMULATED else str(CONFIG.dataset_root)
)


wildcard_constraints:
    experiment=CONFIG.experiment,
    subject="[^/]+",
    fold="[^/]+",


def dataset_folder(wildcards):
    """Return the dataset as an input; a missing one is reported by the command, in one line."""
    return [ROOT] if SIMULATED or Path(ROOT).is_dir() else []


def subjects(wildcards):
    """Return the catalog's subjects, in its order."""
    catalog = checkpoints.index_dataset.get(
        experiment=wildcards.experiment
    ).output.catalog
    return list(dict.fromkeys(clip.subject for clip in read_catalog(Path(catalog))))


def clips_digest(wildcards):
    """Return a digest of one subject's rows: only their change reruns that subject's jobs."""
    catalog = Path(f"results/{wildcards.experiment}/catalog.tsv")
    rows = [clip for clip in read_catalog(catalog) if clip.subject == wildcards.subject]
    return sha256(repr(rows).encode()).hexdigest()[:16]


def selections(wildcards):
    """Return the selection of each fold, by the method of the wildcards or by all methods."""
    table = checkpoints.collect_failures.get(
        experiment=wildcards.experiment
    ).output.folds
    methods = (
        [wildcards.method]
        if hasattr(wildcards, "method")
        else CONFIG.evaluation.methods
    )
    folder = f"results/{wildcards.experiment}/selection"
    folds = [row.fold for row in read_rows(Path(table), SubjectFold)]
    return [f"{folder}/{method}/{fold}.h5" for method in methods for fold in folds]


def repeated(option, values):
    """Return an option before each of its values."""
    return [part for value in values for part in (option, value)]
