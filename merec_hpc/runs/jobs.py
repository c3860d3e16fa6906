"""Lists the jobs that an experiment consists of: what Snakemake makes of the rules.

``tests/runs/test_jobs.py`` holds it against Snakemake's own plan, rule by rule.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from merec_hpc.config.evaluation import Method
from merec_hpc.config.scaling import scaling_text
from merec_hpc.config.whole import Config
from merec_hpc.runs.experiment import (
    BLOCKS,
    Extraction,
    dataset_folder,
    extractions,
    features_name,
    landmark_files,
    landmark_weights,
    permutation_jobs,
    permutation_numbers,
    results_folder,
    selection_files,
    selector_settings,
    selectors_of,
    unit_tables,
)
from merec_hpc.runs.extent import Extent
from merec_hpc.runs.recorded import (
    has_apexes,
    has_folds,
    has_permutations,
    is_extracted_by,
    is_kept_by,
    is_made_by,
    is_selected_by,
    joins,
)
from merec_hpc.runs.variants import (
    Variant,
    ensembles_of,
    genetic_settings,
    variant_extraction,
    variants_of,
)

LOCAL = frozenset(
    {
        "fetch_weights",
        "index_dataset",
        "collect_failures",
        "draw_contact_sheets",
        "join_features",
        "collect_predictions",
        "render_report",
        "all",
        "collect_sweep",
        "sweep",
    }
)
"""The rules whose jobs run where Snakemake runs."""


@dataclass(frozen=True)
class Job:
    """One job of the workflow."""

    rule: str
    part: str
    """What of the rule's work it is: a selector, a method or a kind of features; often nothing."""
    unit: str
    """Which job of this part: a subject, a fold or a number; often nothing."""
    inputs: tuple[str, ...]
    """Of other jobs, and files from outside, below the folder of the workflow."""
    outputs: tuple[str, ...]
    ancient: frozenset[str] = frozenset()
    """Inputs whose time does not count."""
    is_current: Callable[[Path], bool] | None = None
    """Tells whether the first output, which is there, is what this job would make."""

    @property
    def is_local(self) -> bool:
        """Whether it runs where Snakemake runs."""
        return self.rule in LOCAL


def jobs_of(config: Config, extent: Extent, *, sweep: bool = False) -> list[Job]:
    """Return all jobs of an experiment, or of its sweep, in the order in which the data flows."""
    jobs = [*_weights(config, sweep=sweep), *_dataset(config)]
    jobs += _faces(config, extent)
    jobs += [_apexes(config, extent)]
    if sweep:
        jobs += _sweep(config, extent)
        return jobs
    kept = list(_clips(config, extent)) if config.clips.keep else []
    sheets = list(_sheets(config, extent))
    jobs += [*kept, *sheets]
    extracted = list(_features(config, extent))
    jobs += extracted
    jobs += _selections(config, extent)
    jobs += _evaluations(config, extent)
    jobs += _block_evaluation(config, extent)
    jobs += _permutations(config)
    jobs += _report(config, extent)
    results = results_folder(config)
    wanted = [f"{results}/report/index.html", f"{results}/catalog.tsv", f"{results}/folds.tsv"]
    wanted += [f"{results}/faces/{subject}.h5" for subject in extent.subjects]
    wanted += [_catalog(config), *(name for job in kept for name in job.outputs)]
    wanted += [name for sheet in sheets for name in sheet.outputs]
    wanted += [name for job in extracted for name in job.outputs]
    wanted += [
        *_block_files(config),
        *selection_files(config, config.evaluation.methods, _names(extent)),
    ]
    wanted += [*_evaluation_files(config), f"{results}/predictions.csv"]
    wanted += [f"{results}/chosen_features.csv"]
    return [*jobs, Job("all", "", "", tuple(wanted), ())]


def _names(extent: Extent) -> list[str]:
    return [row.fold for row in extent.folds]


def _store(config: Config) -> str:
    return f"{results_folder(config)}/features/{features_name(config)}.h5"


def _fold_table(config: Config) -> list[str]:
    """Return the table of each fold's subjects, where a fold is not simply a subject."""
    if config.evaluation.protocol == "leave_one_subject_out":
        return []
    return [f"{results_folder(config)}/fold_subjects.tsv"]


def _evaluation_files(config: Config) -> list[str]:
    folder, classifier = results_folder(config) / "evaluation", config.evaluation.classifier
    return [f"{folder}/{method}/{classifier}.csv" for method in config.evaluation.methods]


def _catalog(config: Config) -> str:
    """Return the catalog of the clips that have faces, with their apexes."""
    return f"{results_folder(config)}/clips.tsv"


def _feature_weights(extraction: Extraction) -> list[str]:
    return [f"resources/weights/{extraction.weights}"] if extraction.weights else []


def _weights(config: Config, *, sweep: bool) -> Iterator[Job]:
    """Yield the jobs that fetch what is asked for, each file once."""
    asked = extractions(config)
    if sweep:
        asked = [
            variant_extraction(config, variant.network, variant.layer, variant.statistics)
            for variant in variants_of(config)
        ]
    wanted = [path for one in asked for path in _feature_weights(one)]
    files = [*landmark_weights(config), *wanted]
    for path in dict.fromkeys(files):
        yield Job("fetch_weights", "", Path(path).name, (), (path,))


def _dataset(config: Config) -> Iterator[Job]:
    results, root = results_folder(config), str(dataset_folder(config))
    if config.dataset == "simulated":
        yield Job("simulate", "", "", (), (root,))
    tables = (f"{results}/catalog.tsv", f"{results}/audit.tsv")
    yield Job("index_dataset", "", "", (root,), tables)


def _faces(config: Config, extent: Extent) -> Iterator[Job]:
    results = results_folder(config)
    catalog = f"{results}/catalog.tsv"
    for subject in extent.subjects:
        stem = f"{results}/faces/{subject}"
        own = [clip for clip in extent.clips if clip.subject == subject]
        tables = landmark_files(config, own)
        yield Job(
            "register_faces",
            "",
            subject,
            (catalog, *landmark_weights(config), *tables),
            (f"{stem}.h5", f"{stem}.failures.tsv"),
            frozenset({catalog}),
            partial(is_made_by, config.faces),
        )
    failures = [f"{results}/faces/{subject}.failures.tsv" for subject in extent.subjects]
    yield Job(
        "collect_failures",
        "",
        "",
        (catalog, f"{results}/audit.tsv", *failures),
        tuple(f"{results}/{name}.tsv" for name in ("folds", "failures", "fold_subjects")),
        is_current=partial(has_folds, extent.folds),
    )


def _apexes(config: Config, extent: Extent) -> Job:
    results = results_folder(config)
    known = (f"{results}/catalog.tsv", f"{results}/failures.tsv")
    faces = [f"{results}/faces/{subject}.h5" for subject in extent.subjects]
    inputs, method = (*known, *faces), config.apex.method
    return Job(
        "find_apexes",
        "",
        "",
        inputs,
        (_catalog(config),),
        frozenset(known[1:]),
        partial(has_apexes, method),
    )


def _clips(config: Config, extent: Extent) -> Iterator[Job]:
    results = results_folder(config)
    for subject in extent.subjects:
        stem = f"{results}/clips/{subject}"
        yield Job(
            "interpolate_clips",
            "",
            subject,
            (f"{results}/faces/{subject}.h5",),
            (f"{stem}.h5",),
            is_current=partial(is_kept_by, config.interpolation, config.clips),
        )


def _sheets(config: Config, extent: Extent) -> Iterator[Job]:
    results = results_folder(config)
    for subject in extent.subjects:
        faces = f"{results}/faces/{subject}"
        inputs = (_catalog(config), f"{faces}.h5", f"{faces}.failures.tsv")
        outputs = (f"{faces}.png", f"{results}/clips/{subject}.png")
        yield Job("draw_contact_sheets", "", subject, inputs, outputs)


def _extraction(
    config: Config, extent: Extent, rule: str, part: str, extraction: Extraction, store: str
) -> Job:
    results = results_folder(config)
    told = (f"{results}/failures.tsv", f"{results}/audit.tsv")
    faces = [f"{results}/faces/{subject}.h5" for subject in extent.subjects]
    return Job(
        rule,
        part,
        "",
        (_catalog(config), *told, *_feature_weights(extraction), *faces),
        (store,),
        frozenset(told),
        partial(is_extracted_by, extraction.settings, extraction.interpolation(config)),
    )


def _features(config: Config, extent: Extent) -> Iterator[Job]:
    blocks = extractions(config)
    folder = f"{results_folder(config)}/features"
    stores = [f"{folder}/{one.name}.h5" for one in blocks]
    has_blocks = bool(config.features.blocks)
    for one, store in zip(blocks, stores, strict=True):
        part = one.name if has_blocks else ""
        yield _extraction(config, extent, "extract_features", part, one, store)
    if has_blocks:
        named = [(one.name, one.weight) for one in blocks]
        is_current = partial(joins, named)
        yield Job("join_features", "", "", tuple(stores), (_store(config),), is_current=is_current)


def _selections(config: Config, extent: Extent) -> Iterator[Job]:
    scaling = scaling_text(config.scaling, config.calibration)
    for selector in selectors_of(config.evaluation.methods):
        tables = unit_tables(config, [selector])
        inputs = (_store(config), *_fold_table(config), *tables)
        settings = selector_settings(config, selector)
        files = selection_files(config, [Method(selector)], _names(extent))
        for fold, file in zip(_names(extent), files, strict=True):
            yield Job(
                "select_genetic" if selector == "genetic" else "select",
                "" if selector == "genetic" else selector,
                fold,
                inputs,
                (file,),
                is_current=partial(is_selected_by, selector, fold, settings, scaling),
            )


def _evaluations(config: Config, extent: Extent) -> Iterator[Job]:
    folds = f"{results_folder(config)}/folds.tsv"
    for method, file in zip(config.evaluation.methods, _evaluation_files(config), strict=True):
        selections = selection_files(config, [method], _names(extent))
        inputs = (_store(config), folds, *selections, *_fold_table(config))
        yield Job("evaluate_folds", "", str(method), inputs, (file,))


def _block_files(config: Config) -> list[str]:
    """Return what is known of each block alone, where there are several."""
    folder = f"{results_folder(config)}/{BLOCKS}"
    names = ("predictions", "shares") if config.features.blocks else ()
    return [f"{folder}/{name}.csv" for name in names]


def _block_evaluation(config: Config, extent: Extent) -> Iterator[Job]:
    if config.features.blocks:
        selections = selection_files(config, config.evaluation.methods, _names(extent))
        folds = f"{results_folder(config)}/folds.tsv"
        inputs = (_store(config), folds, *selections, *_fold_table(config))
        yield Job("evaluate_blocks", "", "", inputs, tuple(_block_files(config)))


def _permutations(config: Config) -> Iterator[Job]:
    results = results_folder(config)
    for method, job in permutation_jobs(config):
        yield Job(
            "run_permutation",
            str(method),
            str(job),
            (
                _store(config),
                f"{results}/fold_subjects.tsv",
                *unit_tables(config, [method.selector]),
            ),
            (f"{results}/permutations/{method}/{job}.csv",),
            is_current=partial(has_permutations, permutation_numbers(config, job)),
        )


def _report(config: Config, extent: Extent) -> Iterator[Job]:
    results = results_folder(config)
    selections = selection_files(config, config.evaluation.methods, _names(extent))
    folds, tables = f"{results}/folds.tsv", ("predictions", "chosen_features")
    yield Job(
        "collect_predictions",
        "",
        "",
        (_store(config), folds, *selections, *_evaluation_files(config)),
        tuple(f"{results}/{name}.csv" for name in tables),
    )
    permuted = [name for job in _permutations(config) for name in job.outputs]
    known = (f"{results}/predictions.csv", f"{results}/failures.tsv", folds)
    page = f"{results}/report/index.html"
    inputs = (*known, *selections, *permuted, *_block_files(config))
    yield Job("render_report", "", "", inputs, (page,))


def _kind(variant: Variant) -> str:
    return f"network~{variant.network}/layer~{variant.layer}/statistics~{variant.statistics}"


def _sweep(config: Config, extent: Extent) -> Iterator[Job]:
    folder, variants = f"{results_folder(config)}/sweep", variants_of(config)
    scaling = scaling_text(config.scaling, config.calibration)
    for kind, variant in {_kind(variant): variant for variant in variants}.items():
        extraction = variant_extraction(config, variant.network, variant.layer, variant.statistics)
        store = f"{folder}/features/{kind}.h5"
        yield _extraction(config, extent, "sweep_extract_features", kind, extraction, store)
    for variant in variants:
        search = genetic_settings(config, variant.criterion, variant.seed)
        for fold in _names(extent):
            yield Job(
                "sweep_select_genetic",
                _kind(variant),
                f"{variant.path}/{fold}",
                (
                    f"{folder}/features/{_kind(variant)}.h5",
                    *_fold_table(config),
                    *unit_tables(config, ["genetic"]),
                ),
                (f"{folder}/selection/{variant.path}/{fold}.h5",),
                is_current=partial(is_selected_by, "genetic", fold, search, scaling),
            )
    for variant in variants:
        yield _sweep_scores(config, extent, "sweep_evaluate_folds", [variant])
    for together in ensembles_of(config):
        yield _sweep_scores(config, extent, "sweep_evaluate_seeds", together)
    scores = [f"{folder}/predictions/{variant.path}.csv" for variant in variants]
    scores += [f"{folder}/predictions/{some[0].ensemble_path}.csv" for some in ensembles_of(config)]
    table = f"{results_folder(config)}/sweep.csv"
    yield Job("collect_sweep", "", "", tuple(scores), (table,))
    yield Job("sweep", "", "", (table,), ())


def _sweep_scores(config: Config, extent: Extent, rule: str, variants: Sequence[Variant]) -> Job:
    results, first = results_folder(config), variants[0]
    name = first.path if len(variants) == 1 else first.ensemble_path
    selections = [
        f"{results}/sweep/selection/{variant.path}/{fold}.h5"
        for fold in _names(extent)
        for variant in variants
    ]
    store = f"{results}/sweep/features/{_kind(first)}.h5"
    inputs = (store, f"{results}/folds.tsv", *selections, *_fold_table(config))
    return Job(rule, "", name, inputs, (f"{results}/sweep/predictions/{name}.csv",))
