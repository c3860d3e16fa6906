"""What ``docs/engine.md`` says of the engine: its example runs, its names and thresholds are there."""

import doctest
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "engine.md").read_text(encoding="utf-8")
KERNELS = REPOSITORY / "merec_hpc" / "kernels"
FITNESS = REPOSITORY / "merec_hpc" / "selection" / "fitness"
OTHERS = {"__init__", "gathering", "lbp"}  # no part of the engine
NAME = re.compile(r"`([A-Za-z_]\w*)`")


def _rows(heading: str, page: str = PAGE) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in table.group().splitlines()[2:]
    ]


def _module(cell: str) -> ModuleType:
    """The module that a cell names, in the folder of kernels or of fitness, or by its path."""
    name = cell.strip("`")
    for path in (REPOSITORY / name, KERNELS / name, FITNESS / name):
        if path.is_file():
            return import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
    raise AssertionError(cell)


def _public_functions(path: Path) -> set[str]:
    return set(re.findall(r"^def ([a-z]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE))


def _failures(page: str) -> list[str]:
    """What goes otherwise than a page's examples say; they share their variables."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    text = "\n".join(blocks)
    test = doctest.DocTestParser().get_doctest(text, {}, "engine.md", None, None)
    failures: list[str] = []
    with np.printoptions():
        doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert len(test.examples) > 0
    return failures


def test_example_gives_the_numbers_that_it_shows() -> None:
    assert _failures(PAGE) == []


def test_a_wrong_number_in_the_example_is_seen() -> None:
    shown = "array([ 0.3776, -0.602 ])"
    assert shown in PAGE
    assert _failures(PAGE.replace(shown, "array([ 0.3777, -0.602 ])")) != []


@pytest.mark.parametrize("row", _rows("Who holds which step"), ids=lambda row: row[1])
def test_functions_stand_in_the_files_that_are_named(row: list[str]) -> None:
    module, names = _module(row[1]), NAME.findall(row[2])
    assert names
    assert [name for name in names if not hasattr(module, name)] == []


def test_every_function_of_the_engine_is_named() -> None:
    named = {
        (row[1].strip("`"), name)
        for row in _rows("Who holds which step")
        for name in NAME.findall(row[2])
    }
    functions = {
        (path.name, name)
        for path in KERNELS.glob("*.py")
        if path.stem not in OTHERS
        for name in _public_functions(path)
    }
    assert functions - named == set()


@pytest.mark.parametrize("row", _rows("Thresholds"), ids=lambda row: row[1])
def test_thresholds_are_those_of_the_code(row: list[str]) -> None:
    base, _, exponent = row[2].partition("**")
    expected = float(base) ** int(exponent or 1)
    assert getattr(_module(row[0]), row[1].strip("`")) == expected


def test_names_of_the_notation_are_those_of_the_kernels() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in KERNELS.glob("*.py"))
    names = [name for row in _rows("Notation") for name in NAME.findall(row[1])]
    assert len(names) > 20
    assert [
        name
        for name in names
        if not re.search(rf"^ +{name}: |, {name}\b|\b{name} =", code, re.MULTILINE)
    ] == []
