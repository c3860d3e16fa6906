"""Imports point backwards only; heavy libraries have one home each; tests mirror modules.

``docs/architecture.md`` describes the rooms and shows these imports; ``make docs`` redraws them.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "merec_hpc"
PAGE = TESTS.parent / "docs" / "architecture.md"

# Each part imports from those before it only: the order in which the data flows.
ORDER = (
    "__init__",
    "errors",
    "metrics",
    "criteria",
    "config",
    "records",
    "files",
    "progress",
    "kernels",
    "parallel",
    "dataset",
    "faces",
    "motion",
    "clips",
    "networks",
    "features",
    "store",
    "learning",
    "selection",
    "evaluation",
    "training",
    "papers",
    "runs",
    "report",
    "commands",
    "cli",
    "__main__",
)
HOMES = {
    "numba": ("kernels",),
    "llvmlite": ("kernels.simd",),
    "mpi4py": ("parallel.mpi",),
    "torch": (
        "selection.fitness.on_device",
        "selection.fitness.batched_folds",
        "selection.fitness.batched_pivoting",
        "networks",
        "features",
        "training",
    ),
    "torchvision": ("networks", "features", "training"),
    "h5py": ("store", "networks.keras_weights"),
    "matplotlib": ("report", "selection.plots"),
    "jinja2": ("report",),
    "pydantic": ("config", "runs.config_schema"),
    "yaml": ("runs.configuration",),
    "typer": ("commands", "cli"),
    "sklearn": (
        "learning",
        "selection.fitness.inner_folds",
        "selection.estimators",
        "selection.mask_selector",
        "selection.ranking",
        "selection.rule.estimator",
        "training.estimators",
    ),
    "liblinear": ("learning",),
    "imblearn": ("learning.oversampling",),
}
# Modules that need no test file of their own, and why.
TESTED_ELSEWHERE = {
    **dict.fromkeys(
        (
            f"config.{name}"
            for name in (
                "base",
                "datasets",
                "evaluation",
                "faces",
                "features",
                "motion",
                "scaling",
                "selection",
                "sweep",
                "training",
                "whole",
            )
        ),
        "by test_config",
    ),
    "evaluation.predictions": "by test_held_out and test_scores",
    "store.former_reader": "by test_former: the process that it starts",
    "store.faces": "by test_store_files: four kinds of file, one set of laws",
    "store.clips": "by test_store_files",
    "store.flow": "by test_store_files",
    "files.sealed": "by test_checkpoint",
    "files.digest": "by test_weights and test_store_files",
    "store.features": "by test_store_files",
    "store.selection": "by test_store_files",
    "dataset.readers.casme": "by test_releases: one reader, one release",
    "dataset.readers.casme2": "by test_releases: one reader, one release",
    "dataset.readers.casme3": "by test_releases: one reader, one release",
    "dataset.readers.casme_sq": "by test_releases: one reader, one release",
    "dataset.readers.ckplus": "by test_releases: one reader, one release",
    "dataset.readers.fer2013": "by test_releases: one reader, one release",
    "dataset.readers.jaffe": "by test_releases: one reader, one release",
    "dataset.readers.megc2019": "by test_releases: one reader, one release",
    "dataset.readers.mmew": "by test_releases: one reader, one release",
    "dataset.readers.rafdb": "by test_releases: one reader, one release",
    "dataset.readers.samm": "by test_releases: one reader, one release",
    "dataset.readers.sfew": "by test_releases: one reader, one release",
    "dataset.readers.smic_extended": "by test_releases: one reader, one release",
    "dataset.clip": "through every stage: a dataclass",
    "dataset.listing": "by test_releases",
    "dataset.readers.__init__": "by test_catalog and test_releases",
    **dict.fromkeys(
        (
            f"networks.{name}"
            for name in (
                "alexnet",
                "densenet121",
                "efficientnet_b0",
                "emotion_cnn",
                "expression_cnn",
                "facial_parts",
                "fused_vgg16",
                "mini_xception",
                "mobilenet_v2",
                "mobilenet_v3_large",
                "off_apexnet",
                "resnet34",
                "shufflenet_v2",
                "ststnet",
                "vgg16",
                "vgg_f",
            )
        ),
        "by test_registry, test_counting and test_activations: one network, one entry",
    ),
    "networks.architectures.mini_xception": "by test_keras_weights",
    "networks.architectures.vgg_f": "by test_matconvnet",
    "networks.preparing": "by test_activations: what a network sees of a frame",
    "networks.unreadable": "one exception class without code",
    "dataset.readers.smic_names": "by test_smic",
    "features.extractors": "by test_extraction and test_registries",
    "dataset.readers.simulated": "by test_simulated",
    "report.sweep_table": "by test_workflow",
    "networks.network": "two dataclasses without code",
    "records": "through every stage: dataclasses, and 'without' by test_held_out and test_fitness",
    "kernels.blocks": "through every kernel",
    "kernels.fold": "by test_leave_out: one solver in four parts",
    "kernels.lbp": "by test_lbp_top",
    "kernels.pivoting": "by test_leave_out",
    "kernels.tableau": "by test_leave_out",
    "store.predictors": "by test_predict_and_score",
    "selection.fitness.inner_fitness": "three protocols without code",
    "selection.fitness.fold_machines": "by test_subject_folds, test_intercepts and test_exactness",
    "selection.fitness.training_clips": "by test_intercepts",
    "selection.fitness.unit_problem": "by test_unit_fitness",
    "selection.steps": "by test_forward and test_filters",
    "selection.mask_selector": "by test_estimators",
    "progress": "by test_cli: writes to a terminal",
    "training.losses": "by test_image_losses",
    "training.estimators": "by test_network_estimators",
    "training.state": "by test_loop",
    "training.scoring": "by test_loop",
    "training.checks": "by test_training_checks",
    "parallel.threads": "one call, through the commands",
}
COMMANDS = "commands."  # a few lines each: by test_cli, test_registration and test_workflow


def _name(path: Path) -> str:
    """The name of a module inside the package, such as ``store.faces``."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


MODULES = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def _tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _imported(module: str) -> Iterator[str]:
    """Everything a module imports, also inside functions; of ``from a import b``, ``a.b``."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own_imports(module: str) -> Iterator[str]:
    """The modules of the package that a module imports."""
    for name in _imported(module):
        head, _, rest = name.partition(".")
        if head != "merec_hpc":
            continue
        parts = rest.split(".")
        known = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
        yield next((name for name in known if name in MODULES), "__init__")


def _part(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def _imports_of_parts() -> dict[str, set[str]]:
    """The parts that each part imports, itself left out."""
    found: dict[str, set[str]] = {part: set() for part in ORDER}
    for module in MODULES:
        found[_part(module)] |= {_part(name) for name in _own_imports(module)} - {_part(module)}
    return found


def _flowchart(imports: dict[str, set[str]]) -> str:
    """All parts, and arrows for the imports that no chain of other imports implies."""
    behind: dict[str, set[str]] = {}
    for part in ORDER:
        behind[part] = imports[part].union(*(behind[name] for name in imports[part]))
    lines = [f'    {part.strip("_")}["{part}"]' for part in ORDER]
    for part in ORDER:
        implied = set[str]().union(*(behind[name] for name in imports[part]))
        for name in sorted(imports[part] - implied, key=ORDER.index):
            lines.append(f"    {part.strip('_')} --> {name.strip('_')}")
    return "\n".join(["```mermaid", "flowchart BT", *lines, "```"])


def _table(imports: dict[str, set[str]]) -> str:
    """All imports: an x where the part of a row imports that of a column."""
    numbers = range(1, len(ORDER) + 1)
    lines = [" " * 14 + "".join(f"{number:3}" for number in numbers)]
    for number, part in enumerate(ORDER, 1):
        marks = ["  x" if name in imports[part] else "  ." for name in ORDER[: number - 1]]
        lines.append(f"{number:2} {part:11}{''.join(marks)}".rstrip())
    return "\n".join(["```text", *lines, "```"])


def pictures() -> list[str]:
    """The blocks of ``docs/architecture.md`` that are drawn from the imports."""
    imports = _imports_of_parts()
    return [_flowchart(imports), _table(imports)]


def test_page_shows_the_imports_that_there_are() -> None:
    shown = re.findall(r"^```\w+\n.*?^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown == pictures(), "make docs"


def test_page_describes_the_rooms_in_their_order() -> None:
    described = re.findall(r"^\*\*`(\w+)`\*\*", PAGE.read_text(), re.MULTILINE)
    assert described == list(ORDER)


def test_flowchart_leaves_out_what_is_implied() -> None:
    imports = {part: set[str]() for part in ORDER} | {
        "config": {"errors"},
        "dataset": {"errors", "config"},
    }
    arrows = [line.strip() for line in _flowchart(imports).splitlines() if "-->" in line]
    assert arrows == ["config --> errors", "dataset --> config"]


def test_every_part_has_a_place_in_the_order() -> None:
    assert {_part(module) for module in MODULES} == set(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_backwards(module: str) -> None:
    place = ORDER.index(_part(module))
    forward = [
        name
        for name in _own_imports(module)
        if _part(name) != _part(module) and ORDER.index(_part(name)) > place
    ]
    assert forward == []


def test_no_module_imports_itself_in_a_circle() -> None:
    imports = {module: set(_own_imports(module)) - {module} for module in MODULES}
    assert len(list(TopologicalSorter(imports).static_order())) == len(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_are_imported_at_home_only(module: str) -> None:
    for name in _imported(module):
        homes = HOMES.get(name.split(".")[0])
        if homes is not None:
            assert any(f"{module}.".startswith(f"{home}.") for home in homes), name


@pytest.mark.parametrize("library", ["numba", "mpi4py", "torch", "h5py", "matplotlib"])
def test_heavy_library_is_at_home_somewhere(library: str) -> None:
    users = [
        module
        for module in MODULES
        if any(name.split(".")[0] == library for name in _imported(module))
    ]
    assert users


@pytest.mark.parametrize("module", MODULES)
def test_library_never_sees_the_workflow(module: str) -> None:
    assert not any(name.split(".")[0] in {"snakemake"} for name in _imported(module))


@pytest.mark.parametrize("module", MODULES)
def test_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(_tree(module))


@pytest.mark.parametrize("module", MODULES)
def test_module_has_a_test_file_or_a_reason(module: str) -> None:
    has_code = any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in _tree(module).body
    )
    if not has_code or module in TESTED_ELSEWHERE or module.startswith(COMMANDS):
        return
    *folders, name = module.split(".")
    assert (TESTS.joinpath(*folders) / f"test_{name}.py").is_file()


def test_reasons_are_of_modules_that_there_are_and_that_need_one() -> None:
    for module in TESTED_ELSEWHERE:
        assert module in MODULES
        *folders, name = module.split(".")
        assert not TESTS.joinpath(*folders, f"test_{name}.py").exists(), module
