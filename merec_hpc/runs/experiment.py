"""Which files an experiment has, and what its jobs are told: what the rules ask for."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from merec_hpc.config.evaluation import Method
from merec_hpc.config.selection import InnerSettings
from merec_hpc.config.whole import Config
from merec_hpc.dataset.clip import Clip
from merec_hpc.features.extractors import EXTRACTORS, NETWORK, ExtractorKind, find_extractor
from merec_hpc.selection.selectors import find_selector


def results_folder(config: Config) -> Path:
    """Return the folder of an experiment's results, below the present one."""
    return Path("results", config.experiment)


def dataset_folder(config: Config) -> Path:
    """Return the folder of the dataset, in one spelling: another would look like another setting."""
    if config.dataset == "simulated" or config.dataset_root is None:
        return results_folder(config) / "simulated"
    return config.dataset_root.resolve()


def features_name(config: Config) -> str:
    """Return the name of the experiment's feature store: of its network, or of its extractor."""
    features = config.features
    return features.network if features.extractor == NETWORK else features.extractor


def extractor_of(name: str) -> str:
    """Return the extractor of a feature store, by the store's name."""
    return name if name in EXTRACTORS else NETWORK


def extractor_kind(name: str) -> ExtractorKind:
    """Return what extracts a feature store, by the store's name."""
    return find_extractor(extractor_of(name))


def extractor_settings(config: Config, name: str) -> Any:
    """Return the section that a feature store is extracted by, by the store's name."""
    return getattr(config, extractor_kind(name).section)


def landmark_weights(config: Config) -> list[str]:
    """Return the weights that faces are registered by, if any are fetched for it."""
    if config.faces.registration == "none" or config.faces.landmarks not in ("face_mesh", "dlib"):
        return []
    return [f"resources/weights/{config.faces.landmarks}"]


def landmark_files(config: Config, clips: Iterable[Clip]) -> list[str]:
    """Return the tables of landmarks of clips, or the shape model, that the settings name.

    A table that is missing leaves its clip out, with the reason.
    """
    faces = config.faces
    if faces.landmarks == "active_shape":
        return [str(faces.shape_model)] if faces.shape_model else []
    if faces.landmarks != "table" or faces.landmark_tables is None:
        return []
    tables = [faces.landmark_tables / f"{clip.clip}.csv" for clip in clips]
    return [str(table) for table in tables if table.is_file()]


def selector_settings(config: Config, selector: str) -> InnerSettings:
    """Return the section that a selector is set by."""
    settings: InnerSettings = getattr(config, find_selector(selector).section)
    return settings


def selectors_of(methods: Iterable[Method]) -> list[str]:
    """Return the selectors of methods, each once, in their order."""
    return list(dict.fromkeys(method.selector for method in methods))


def selection_files(config: Config, methods: Iterable[Method], folds: Sequence[str]) -> list[str]:
    """Return the selections that methods decide by, of all folds."""
    folder = results_folder(config) / "selection"
    return [f"{folder}/{name}/{fold}.h5" for name in selectors_of(methods) for fold in folds]


def permutation_jobs(config: Config) -> list[tuple[Method, int]]:
    """Return method and number of each job of permuted labels; none if there are none."""
    settings = config.permutation
    if not settings.n_permutations:
        return []
    n_jobs = 1 + settings.n_permutations // settings.permutations_per_job
    return [(method, job) for method in settings.methods for job in range(n_jobs)]


def permutation_numbers(config: Config, job: int) -> range:
    """Return the permutations of a job: 0, the labels as they are, is the first of the first."""
    size = config.permutation.permutations_per_job
    return range(job * size, min((job + 1) * size, config.permutation.n_permutations + 1))


def inner_settings(config: Config) -> dict[str, InnerSettings]:
    """Return the sections of the selectors that are to run, by the section's name."""
    methods = [*config.evaluation.methods]
    if config.permutation.n_permutations:
        methods += config.permutation.methods
    found = {
        find_selector(name).section: selector_settings(config, name)
        for name in selectors_of(methods)
    }
    if any(vars(config.sweep).values()):
        found["genetic"] = config.genetic
    return found


def inner_differences(config: Config) -> list[str]:
    """Say in what the selectors that are compared are scored differently on the inner folds."""
    settings = {
        selector: selector_settings(config, selector)
        for selector in selectors_of([*config.evaluation.methods])
    }
    said = []
    for key in InnerSettings.__dataclass_fields__:
        groups: dict[str, list[str]] = {}
        for selector, own in settings.items():
            value = getattr(own, key)
            if key == "criterion":
                value = find_selector(selector).criterion or value
            groups.setdefault(_shown(value), []).append(selector)
        if len(groups) > 1:
            parts = [f"{value} of {', '.join(names)}" for value, names in groups.items()]
            said.append(f"{key}: {'; '.join(parts)}")
    return said


def _shown(value: object) -> str:
    if value is None:
        return "one subject at a time"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
