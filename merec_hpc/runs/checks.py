"""Checks a configuration before any job: names, files, numbers that cannot be, keys without use.

The sections themselves check kinds and ranges. Here stands what needs the registries, the disk
or several sections.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from merec_hpc.config.base import nearest
from merec_hpc.config.evaluation import Method
from merec_hpc.config.features import FeatureBlock
from merec_hpc.config.motion import FlowSettings
from merec_hpc.config.scaling import scaling_of
from merec_hpc.config.selection import RuleSettings
from merec_hpc.config.whole import Config
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.folds import count_folds, fold_members
from merec_hpc.dataset.readers import find_reader
from merec_hpc.dataset.schemes import find_scheme
from merec_hpc.errors import MerecError
from merec_hpc.features.extractors import EXTRACTORS, NETWORK
from merec_hpc.features.inputs import check_changes
from merec_hpc.motion.optical_flow import check_flow
from merec_hpc.networks.registry import find_frame_network
from merec_hpc.networks.weights import find_weights, weight_names
from merec_hpc.runs.experiment import (
    BLOCKS,
    Extraction,
    extractions,
    inner_settings,
    selector_settings,
    selectors_of,
)
from merec_hpc.selection.selectors import check_unit, find_selector


def check_config(config: Config) -> None:
    """Raise a ``MerecError`` for a name that nothing has, or a key that nothing would read.

    Nothing is looked for on the disk: a plan may be made elsewhere.
    """
    _check_names(config)
    _check_layers(config)
    _check_units(config)
    for said in _keys_without_use(config):
        raise MerecError(said)


def check_files(config: Config) -> None:
    """Raise a ``MerecError`` if a file or folder that the configuration names is not there."""
    if config.dataset != "simulated" and config.dataset_root is not None:
        root = config.dataset_root
        if not root.resolve().is_dir():
            msg = f"{root.resolve()}: expected the dataset's folder, found no such folder"
            raise MerecError(msg)
        for key, table in _named_tables(root, config.dataset_settings):
            if not table.is_file():
                msg = f"{config.dataset}.{key}: a file expected, found none at {table}"
                raise MerecError(msg)
    faces = config.faces
    named: list[tuple[str, Path | None, bool]] = [
        ("corrections", config.corrections, False),
        ("faces.shape_model", faces.shape_model, False),
        ("faces.reference", faces.reference, False),
        ("faces.landmark_tables", faces.landmark_tables, True),
        *((f"weights.{name}", path, False) for name, path in config.weights.items()),
        *(
            (f"{section}.unit_table", settings.unit_table, False)
            for section, settings in inner_settings(config).items()
        ),
    ]
    for key, path, is_folder in named:
        if path is not None and not (path.is_dir() if is_folder else path.is_file()):
            msg = f"{key}: a {'folder' if is_folder else 'file'} expected, found none at {path}"
            raise MerecError(msg)
    _check_weights(config)


def _check_weights(config: Config) -> None:
    """Raise a ``MerecError`` if a network needs a file of weights that neither is there nor comes."""
    needed = {one.weights for one in extractions(config) if one.weights}
    for name in sorted(needed | set(config.sweep.networks)):
        made = Path("resources/weights") / name
        if find_weights(name) is None and not config.weights.get(name) and not made.is_file():
            msg = (
                f"weights.{name}: a file expected, since no package carries weights of {name}, "
                f"found none here and none at {made} (docs/networks.md, Weights)"
            )
            raise MerecError(msg)


def _named_tables(root: Path, settings: Any) -> Iterator[tuple[str, Path]]:
    """Yield the sheets and lists that a dataset's settings name, by their keys."""
    for key in ("file", "sheet", "casme2_sheet", "samm_sheet"):
        name = getattr(settings, key, None)
        if name is not None:
            part = getattr(settings, key.removesuffix("_sheet"), "") if "_" in key else ""
            yield key, root / part / name


def check_clips(config: Config, clips: Sequence[Clip]) -> None:
    """Raise a ``MerecError`` if features, protocol or inner folds ask too much of a catalog."""
    moving = [one.name for one in extractions(config) if one.needs_motion]
    still = [
        clip
        for clip in clips
        if clip.source.is_still or (clip.onset is not None and clip.onset == clip.offset)
    ]
    if moving and still:
        msg = (
            f"features of {moving[0]}: films, or pairs of a neutral image and the expression, "
            f"expected, found the single frame of clip '{still[0].clip}': write another "
            "features.extractor, other statistics, or features.input frames"
        )
        raise MerecError(msg)
    members = fold_members(clips, config.evaluation)
    count_folds(clips, members)
    fold_of = {row.subject: row.fold for row in members}
    subjects = {clip.subject for clip in clips}
    fewest = min(
        sum(fold_of.get(subject) != fold for subject in subjects) for fold in set(fold_of.values())
    )
    for section, settings in inner_settings(config).items():
        if settings.n_inner_folds is not None and settings.n_inner_folds > fewest:
            msg = (
                f"{section}.n_inner_folds: at most {fewest}, the training subjects of a fold, "
                f"expected, found {settings.n_inner_folds}"
            )
            raise MerecError(msg)
        if settings.n_groupings > 1 and settings.n_inner_folds == fewest:
            msg = (
                f"{section}.n_inner_folds: fewer than {fewest}, the training subjects of a fold, "
                f"expected for n_groupings {settings.n_groupings}, found {fewest}"
            )
            raise MerecError(msg)


def _check_names(config: Config) -> None:
    _check_blocks(config)
    networks = [("features.network", config.features.network)]
    networks += [("sweep.networks", name) for name in config.sweep.networks]
    for key, name in networks:
        find_frame_network(name, key)
    for key, methods in (
        ("evaluation.methods", config.evaluation.methods),
        ("permutation.methods", config.permutation.methods),
    ):
        for method in methods:
            find_selector(method.selector, key)
            _check_rules(config, key, method)
    for name in config.weights:
        if name not in weight_names():
            known = ", ".join(weight_names())
            msg = f"weights: one of {known} expected, found '{name}'{nearest(name, weight_names())}"
            raise MerecError(msg)
    reader = find_reader(config.dataset)
    if reader.scheme is not None:
        find_scheme(reader.scheme(config.dataset_settings), f"{config.dataset}.scheme")
    if config.evaluation.protocol == "official_split" and not reader.has_splits:
        msg = f"evaluation.protocol official_split: a dataset with splits expected, found {config.dataset}"
        raise MerecError(msg)


def _check_rules(config: Config, key: str, method: Method) -> None:
    """Check that rules can decide where a method lets them."""
    is_control = method == Method("all_features", "ensemble")
    if not (find_selector(method.selector).decides or is_control):
        return
    for is_wrong, what in (
        (method.decider == "hall_of_fame", "rules decide by the champion or as an ensemble"),
        (
            (config.evaluation.classifier, config.evaluation.oversampling)
            != ("linear_svm", "none"),
            "evaluation.classifier linear_svm without oversampling expected, since rules decide",
        ),
        (
            config.scaling.startswith("transductive") and not is_control,
            f"scaling none or standard expected, found {config.scaling}: a rule calibrates by itself",
        ),
    ):
        if is_wrong:
            msg = f"{key}: {method}: {what}"
            raise MerecError(msg)


def _check_blocks(config: Config) -> None:
    """Check what is extracted: each extractor, its settings, and the names of several blocks."""
    names = [one.name for one in extractions(config)]
    for one in extractions(config):
        if names.count(one.name) > 1:
            msg = (
                f"features.blocks: each name once expected, found '{one.name}' "
                f"{names.count(one.name)} times: give each a name"
            )
            raise MerecError(msg)
        if one.name == BLOCKS:
            msg = f"features.blocks: another name than '{BLOCKS}' expected, that of all together"
            raise MerecError(msg)
        if one.extractor == NETWORK:
            find_frame_network(one.settings.network, f"features.network of {one.name}")
            check_changes(one.settings.input, config.interpolation.n_frames)
        _check_size(config, one)
        if one.extractor == "flow":
            check_flow(one.settings)
    check_flow(config.flow)  # of the contact sheets
    if config.faces.registration == "none" and config.apex.method == "dc_rois":
        msg = "apex.method dc_rois: landmarks expected, found none under faces.registration none"
        raise MerecError(msg)
    for block, one in zip(config.features.blocks, extractions(config), strict=False):
        _check_block_keys(block, one)


def _check_size(config: Config, extraction: Extraction) -> None:
    """Check that faces are as large as what is taken of them, and have landmarks where it needs any."""
    settings, size = extraction.settings, config.faces.size_px
    for key in ("grid", "n_blocks"):
        number = getattr(settings, key, 1)
        if number > size:
            msg = (
                f"{extraction.extractor}.{key} of {extraction.name}: at most faces.size_px, {size}, "
                f"expected, found {number}"
            )
            raise MerecError(msg)
    if config.faces.registration == "none" and "mdmo" in getattr(settings, "outputs", ()):
        msg = "flow.outputs mdmo: landmarks expected, found none under faces.registration none"
        raise MerecError(msg)


def _check_block_keys(block: FeatureBlock, extraction: Extraction) -> None:
    """Raise a ``MerecError`` for a key of a block's settings that nothing reads."""
    unread: list[str] = []
    if extraction.extractor == NETWORK:
        unread = ["extractor", "blocks"]
    if isinstance(extraction.settings, FlowSettings):
        unread = [key for keys, _, _ in _unread([extraction.settings]) for key in keys]
    idle = [key for key in block.settings if key in unread]
    if idle:
        msg = f"features.blocks, {extraction.name}: '{idle[0]}' does nothing in its settings: leave it out"
        raise MerecError(msg)


def _check_units(config: Config) -> None:
    """Check that there are groups of the kind that selectors are to choose by."""
    methods = [*config.evaluation.methods]
    if config.permutation.n_permutations:
        methods += config.permutation.methods
    for selector in selectors_of(methods):
        section, settings = find_selector(selector).section, selector_settings(config, selector)
        check_unit(selector, settings, section)
        if isinstance(settings, RuleSettings):
            continue
        is_idle = section == "all_features"
        if settings.unit == "block" and not config.features.blocks and not is_idle:
            msg = f"{section}.unit block: features.blocks expected, found one extraction alone"
            raise MerecError(msg)


def _check_layers(config: Config) -> None:
    """Check the layers of networks; the whole graph is only made if a layer is not a usual one."""
    wanted = [
        (f"features.layer of {one.name}", one.settings.network, layer)
        for one in extractions(config)
        if one.extractor == NETWORK
        for layer in one.settings.layers
    ]
    wanted += [
        ("sweep.layers", network, layer)
        for network in config.sweep.networks or (config.features.network,)
        for layer in config.sweep.layers
    ]
    for key, network, layer in wanted:
        if layer not in find_frame_network(network, key).layers:
            # torch takes seconds, which a usual layer need not cost.
            from merec_hpc.features.activations import check_layers  # noqa: PLC0415

            check_layers(network, [layer], key)


@dataclass(frozen=True)
class _Idle:
    """Keys of a section that nothing reads as long as another key says so."""

    section: str
    keys: Sequence[str]
    is_idle: bool
    why: str
    wanted: str


def _keys_without_use(config: Config) -> Iterator[str]:
    """Yield what is said of each key that differs from its default and has no effect."""
    if config.dataset == "simulated" and config.dataset_root is not None:
        root = config.dataset_root
        yield f"'dataset_root' is {root}, which does nothing where dataset is simulated: leave it out"
    for idle in (
        *_idle_faces(config),
        *_idle_features(config),
        *_idle_scaling(config),
        *_idle_search(config),
        *_idle_protocol(config),
    ):
        settings = getattr(config, idle.section)
        defaults = type(settings)()
        for key in idle.keys if idle.is_idle else ():
            value = getattr(settings, key)
            if value != getattr(defaults, key):
                yield (
                    f"'{idle.section}.{key}' is {_shown(value)}, which does nothing where "
                    f"{idle.why}: {idle.wanted} expected, or leave the key out"
                )


def _idle_faces(config: Config) -> Iterator[_Idle]:
    faces = config.faces
    placed_by_eyes = ("interocular_fraction", "eye_row_fraction")
    of_faces = (
        "landmarks",
        "warp",
        "reference",
        "crop",
        "min_detection_fraction",
        *placed_by_eyes,
        "shape_fraction",
        "shape_model",
        "landmark_tables",
    )
    yield _Idle(
        "faces",
        of_faces,
        faces.registration == "none",
        "registration is none",
        "first_frame or each_frame",
    )
    for key, engine in (("shape_model", "active_shape"), ("landmark_tables", "table")):
        why = f"landmarks is {faces.landmarks}"
        yield _Idle("faces", (key,), faces.landmarks != engine, why, engine)
    yield _Idle("faces", placed_by_eyes, faces.crop == "shape", "crop is shape", "crop eyes")
    yield _Idle("faces", ("shape_fraction",), faces.crop == "eyes", "crop is eyes", "crop shape")
    yield _Idle("clips", ("format",), not config.clips.keep, "clips.keep is false", "true")


def _idle_features(config: Config) -> Iterator[_Idle]:
    features = config.features
    used = {one.extractor for one in extractions(config)}
    if config.sweep.networks:
        used.add(NETWORK)
    why = f"features.extractor is {features.extractor}"
    if features.blocks:
        why = f"features.blocks are {', '.join(one.name for one in extractions(config))}"
        yield _Idle("features", ("extractor",), True, why, "no blocks")
    for name, kind in EXTRACTORS.items():
        keys = [one.name for one in fields(getattr(config, kind.section))]
        # Pictures of the motion are drawn by these, whatever is extracted.
        others = {"features": {"extractor", "blocks"}, "flow": {"method", "preset", "window"}}
        left = [key for key in keys if key not in others.get(kind.section, ())]
        yield _Idle(kind.section, left, name not in used, why, name)
    yield from _idle_flow(config)


_MAPS = frozenset({"u", "v", "magnitude", "strain"})


def _idle_flow(config: Config) -> Iterator[_Idle]:
    """Yield the keys of ``flow`` that neither a block nor a picture reads."""
    used = [one.settings for one in extractions(config) if one.extractor == "flow"]
    for keys, why, wanted in _unread([*used, config.flow]):
        yield _Idle("flow", keys, True, why, wanted)


def _unread(settings: Sequence[FlowSettings]) -> Iterator[tuple[Sequence[str], str, str]]:
    """Yield keys that none of some settings of flow reads, why, and what would read them."""
    methods = dict.fromkeys(one.method for one in settings)
    outputs = dict.fromkeys(output for one in settings for output in one.outputs)
    why, listed = (f"flow.{what} {', '.join(found)}" for what, found in
                   (("method is", methods), ("outputs are", outputs)))  # fmt: skip
    if "dis" not in methods:
        yield ("preset",), why, "dis"
    if "farneback" not in methods:
        yield ("window",), why, "farneback"
    if not _MAPS & set(outputs):
        yield ("grid",), listed, "u, v, magnitude or strain"
    if not {"hoof", "mdmo"} & set(outputs):
        yield ("n_bins",), listed, "hoof or mdmo"
    if "hoof" not in outputs:
        yield ("n_blocks", "hoof_weights"), listed, "hoof"


def _idle_scaling(config: Config) -> Iterator[_Idle]:
    scaling, wanted = config.scaling, "transductive_full or transductive_shrunk"
    is_idle = not scaling_of(scaling, config.calibration).is_transductive
    yield _Idle("calibration", ("min_clips",), is_idle, f"scaling is {scaling}", wanted)
    wanted = "transductive_shrunk"
    yield _Idle("calibration", ("kappa",), scaling != wanted, f"scaling is {scaling}", wanted)


def _idle_search(config: Config) -> Iterator[_Idle]:
    search, ranking = config.genetic, config.ranking
    alone = ("topology", "migration_interval", "n_emigrants")
    why = "genetic.n_islands is 1"
    yield _Idle("genetic", alone, search.n_islands == 1, why, "several islands")
    stops = ("flat_range", "steep_derivative")
    why = f"genetic.objectives are {_shown(search.objectives)}"
    yield _Idle("genetic", stops, search.weighs_two, why, "fitness alone")
    why = f"ranking.n_selected is {ranking.n_selected}"
    yield _Idle("ranking", ("n_selected_values",), ranking.n_selected is not None, why, "null")


def _idle_protocol(config: Config) -> Iterator[_Idle]:
    protocol = config.evaluation.protocol
    for key, wanted in (("n_folds", "subject_folds"), ("held_out_split", "official_split")):
        yield _Idle("evaluation", (key,), protocol != wanted, f"protocol is {protocol}", wanted)


def _shown(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
