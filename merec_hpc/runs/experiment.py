"""Which files an experiment has, and what its jobs are told: what the rules ask for."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from merec_hpc.config.base import from_json, to_json
from merec_hpc.config.evaluation import Method
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.config.features import DIFFERENCES, OVER_TIME, FeatureBlock, FeatureSettings
from merec_hpc.config.motion import FlowSettings
from merec_hpc.config.selection import AnySettings, SelectorSettings, bias_text
from merec_hpc.config.whole import Config
from merec_hpc.dataset.clip import Clip
from merec_hpc.features.extractors import NETWORK, ExtractorKind, find_extractor
from merec_hpc.selection.selectors import find_selector


def results_folder(config: Config) -> Path:
    """Return the folder of an experiment's results, below the present one."""
    return Path("results", config.experiment)


def dataset_folder(config: Config) -> Path:
    """Return the folder of the dataset, in one spelling: another would look like another setting."""
    if config.dataset == "simulated" or config.dataset_root is None:
        return results_folder(config) / "simulated"
    return config.dataset_root.resolve()


BLOCKS = "blocks"
"""Name of the view that joins several extractions."""


@dataclass(frozen=True)
class Extraction:
    """One feature store, and how it is made."""

    name: str
    """Of the store: of its block, else of the network or the extractor."""
    extractor: str
    settings: Any
    weight: float | None = None
    """Of each of its scaled features beside other blocks; ``None`` is 1 / sqrt(their number)."""

    @property
    def kind(self) -> ExtractorKind:
        """What extracts it."""
        return find_extractor(self.extractor)

    @property
    def interpolates(self) -> bool:
        """Whether interpolated frames have a part in it."""
        if self.kind.of_motion:
            return False
        statistics = set(getattr(self.settings, "statistics", {"any"}))
        return bool(statistics - {"apex_difference"})

    def interpolation(self, config: Config) -> InterpolationSettings:
        """Return how clips are interpolated for it: as by default where that changes nothing."""
        return config.interpolation if self.interpolates else InterpolationSettings()

    @property
    def needs_motion(self) -> bool:
        """Whether clips of a single frame are refused."""
        is_of_changes = getattr(self.settings, "input", "frames") in OVER_TIME
        relative = DIFFERENCES & set(getattr(self.settings, "statistics", ()))
        return self.kind.of_motion or is_of_changes or bool(relative)

    @property
    def weights(self) -> str | None:
        """The name of the weights that it needs, if it needs any."""
        network: str = self.settings.network if self.kind.has_weights else ""
        return network or None


def extractions(config: Config) -> list[Extraction]:
    """Return the extractions of an experiment: one, or one a block.

    Raises
    ------
    MerecError
        If there is no such extractor, or a block's settings are not its extractor's.
    """
    features = config.features
    if features.blocks:
        return [_block(config, block) for block in features.blocks]
    settings = _section(config, features.extractor)
    return [Extraction(_own_name(features.extractor, settings), features.extractor, settings)]


def drawn_flow(config: Config) -> FlowSettings:
    """Return how flow is computed for pictures and networks: what else of it is a feature is not."""
    flow = config.flow
    return FlowSettings(method=flow.method, preset=flow.preset, window=flow.window)


def features_name(config: Config) -> str:
    """Return the name of the features that are selected from: of the one extraction, or the view."""
    return BLOCKS if config.features.blocks else extractions(config)[0].name


def extraction_of(config: Config, name: str) -> Extraction:
    """Return the extraction of a store's name, which the experiment has."""
    return next(one for one in extractions(config) if one.name == name)


def _section(config: Config, extractor: str) -> Any:
    """Return the section that an extractor is set by, without what is no part of it."""
    section = getattr(config, find_extractor(extractor, "features.extractor").section)
    return replace(section, blocks=()) if isinstance(section, FeatureSettings) else section


def _own_name(extractor: str, settings: Any) -> str:
    return str(settings.network) if extractor == NETWORK else extractor


def _block(config: Config, block: FeatureBlock) -> Extraction:
    source = f"features.blocks, {block.name or block.extractor}"
    kind = find_extractor(block.extractor, source)
    values = json.loads(to_json(_section(config, block.extractor))) | block.settings
    text = json.dumps({**values, "extractor": block.extractor} if "extractor" in values else values)
    settings: Any = from_json(kind.settings, text, source)
    name = block.name or _own_name(block.extractor, settings)
    return Extraction(name, block.extractor, settings, block.weight)


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


def unit_tables(config: Config, selectors: Iterable[str]) -> list[str]:
    """Return the tables of groups of features that selectors choose by, each once."""
    every = [selector_settings(config, selector) for selector in selectors]
    tables = [own.unit_table for own in every if isinstance(own, SelectorSettings)]
    return list(dict.fromkeys(str(table) for table in tables if table is not None))


def selector_settings(config: Config, selector: str) -> AnySettings:
    """Return the section that a selector is set by."""
    settings: AnySettings = getattr(config, find_selector(selector).section)
    return settings


def selectors_of(methods: Iterable[Method]) -> list[str]:
    """Return the selectors of methods, each once, in their order."""
    return list(dict.fromkeys(method.selector for method in methods))


def selection_files(config: Config, methods: Iterable[Method], folds: Sequence[str]) -> list[str]:
    """Return the selections that methods decide by, of all folds."""
    folder = results_folder(config) / "selection"
    return [f"{folder}/{name}/{fold}.h5" for name in selectors_of(methods) for fold in folds]


def fold_settings(config: Config) -> str:
    """Return what folds depend on, of the section ``evaluation``, as JSON."""
    section = config.evaluation
    keys = ("protocol", "n_folds", "held_out_split")
    return json.dumps({key: getattr(section, key) for key in keys})


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


def inner_settings(config: Config) -> dict[str, SelectorSettings]:
    """Return the sections of the selectors that are to run and score masks, by the section's name."""
    methods = [*config.evaluation.methods]
    if config.permutation.n_permutations:
        methods += config.permutation.methods
    sections = {
        find_selector(name).section: selector_settings(config, name)
        for name in selectors_of(methods)
    }
    found = {name: own for name, own in sections.items() if isinstance(own, SelectorSettings)}
    if any(vars(config.sweep).values()):
        found["genetic"] = config.genetic
    return found


def inner_differences(config: Config) -> list[str]:
    """Say in what the selectors that are compared are scored differently on the inner folds."""
    every = {
        selector: selector_settings(config, selector)
        for selector in selectors_of([*config.evaluation.methods])
    }
    settings = {name: own for name, own in every.items() if isinstance(own, SelectorSettings)}
    said = []
    for key in SelectorSettings.__dataclass_fields__:
        groups: dict[str, list[str]] = {}
        for selector, own in settings.items():
            value: object = getattr(own, key)
            if key == "bias":
                value = tuple(map(bias_text, own.bias))
            if key == "unit_table":
                value = str(value or "none")
            if key == "criterion":
                value = find_selector(selector).criterion or value
            groups.setdefault(_shown(value), []).append(selector)
        if len(groups) > 1:
            parts = [f"{value} of {', '.join(names)}" for value, names in groups.items()]
            said.append(f"{key}: {'; '.join(parts)}")
    rules = [name for name in every if name not in settings]
    if rules:
        said.append(
            f"{', '.join(rules)}: an intercept, class-balanced log loss and groups of subjects of "
            "their own"
        )
    return said


def _shown(value: object) -> str:
    if value is None:
        return "one subject at a time"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
