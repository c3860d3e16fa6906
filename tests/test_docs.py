"""Whether what the documentation names is there: links, files, modules, commands, keys."""

import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest
from conftest import REPOSITORY

from merec_hpc.cli import COMMANDS
from merec_hpc.config.datasets import DATASET_SETTINGS
from merec_hpc.config.whole import Config

DECISIONS = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))  # as of their day
PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md"), *REPOSITORY.glob("slurm/*.md")]
)
CONFIGURATIONS = sorted(
    [
        *REPOSITORY.glob("*.yaml"),
        *(REPOSITORY / "config").glob("*"),
        *REPOSITORY.glob("slurm/*.yaml"),
    ]
)
SOURCES = sorted([*(REPOSITORY / "merec_hpc").rglob("*.py"), *REPOSITORY.glob("workflow/**/*.smk")])

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FOLDERS = "merec_hpc|docs|tests|benchmarks|config|slurm|workflow"
FILE = re.compile(rf"(?<![\w/.{{}}-])(?:{FOLDERS})/[\w./*-]*[\w*/](?![\w/{{]|\.\.)")
MODULE = re.compile(r"\bmerec_hpc(?:\.\w+)+")
COMMAND = re.compile(r"\bmerec ([a-z][a-z0-9-]*)")
KEY = re.compile(r"(?<![\w./{}-])([a-z]\w*)\.([A-Za-z]\w*)(?![\w/(]|\.\w)")
CODE = re.compile(r"`([^`]+)`")
FILE_ENDINGS = {"csv", "h5", "json", "md", "png", "py", "smk", "tsv", "yaml"}
MADE = {"benchmarks/tables/"}  # by a command, and not kept
# Of the worked examples in CONTRIBUTING.md.
EXAMPLES = {
    "merec_hpc/dataset/readers/home.py",
    "merec_hpc/features/mean_frame.py",
    "merec_hpc/selection/widest.py",
}


def _name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def _sections() -> dict[str, set[str]]:
    """The keys of each section."""
    kinds = {known.name: known.type for known in fields(Config)} | DATASET_SETTINGS
    return {
        section: {known.name for known in fields(kind)}
        for section, kind in kinds.items()
        if hasattr(kind, "__dataclass_fields__")
    }


def _anchors(page: Path) -> set[str]:
    """What links to the headings of a page end in, as GitHub and others make it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def _comments(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.partition("#")[2] for line in lines)


def _keys(path: Path) -> Iterator[tuple[str, str]]:
    """What a text names as keys: of a page in code, of a configuration in comments."""
    if path.suffix == ".md":
        texts = CODE.findall(path.read_text(encoding="utf-8"))
    else:
        texts = [_comments(path)]
    for text in texts:
        yield from KEY.findall(text)


@pytest.mark.parametrize("path", [*PAGES, *DECISIONS], ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    dead = []
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        page = path.parent / target if target else path
        if not page.exists() or (anchor and anchor not in _anchors(page)):
            dead.append(f"{target}#{anchor}")
    assert dead == []


@pytest.mark.parametrize("path", [*PAGES, *CONFIGURATIONS, *SOURCES], ids=_name)
def test_named_files_exist(path: Path) -> None:
    named = set(FILE.findall(path.read_text(encoding="utf-8"))) - MADE - EXAMPLES
    assert [name for name in sorted(named) if not list(REPOSITORY.glob(_pattern(name)))] == []


@pytest.mark.parametrize("path", [*PAGES, *CONFIGURATIONS], ids=_name)
def test_named_modules_and_functions_exist(path: Path) -> None:
    for name in MODULE.findall(path.read_text(encoding="utf-8")):
        parts = name.split(".")
        if "/".join(parts) + ".py" in EXAMPLES:
            continue
        count = next(n for n in range(len(parts), 0, -1) if _is_module(parts[:n]))
        found: object = import_module(".".join(parts[:count]))
        for part in parts[count:]:
            assert hasattr(found, part), name
            found = getattr(found, part)


@pytest.mark.parametrize("path", [*PAGES, *CONFIGURATIONS, *SOURCES], ids=_name)
def test_named_commands_exist(path: Path) -> None:
    named = set(COMMAND.findall(path.read_text(encoding="utf-8")))
    assert named <= set(COMMANDS)


def test_commands_of_the_stages_exist() -> None:
    rows = re.findall(
        r"^\| \[\w+\]\(workflow/rules/.*$", (REPOSITORY / "README.md").read_text(), re.MULTILINE
    )
    named = {code.split()[0] for row in rows for code in CODE.findall(row.split("|")[2])}
    assert named
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("path", [*PAGES, *CONFIGURATIONS], ids=_name)
def test_named_keys_exist(path: Path) -> None:
    sections = _sections()
    unknown = [
        f"{section}.{key}"
        for section, key in _keys(path)
        if section in sections and key not in sections[section] | FILE_ENDINGS
    ]
    assert unknown == []


def test_words_of_the_glossary_are_those_of_the_code() -> None:
    page = (REPOSITORY / "docs" / "glossary.md").read_text(encoding="utf-8")
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    cells = [line.split("|")[3] for line in page.splitlines() if line.startswith("|")]
    words = {
        word for cell in cells for word in re.findall(r"[A-Za-z]\w+", " ".join(CODE.findall(cell)))
    }
    assert words
    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", code)] == []


def _pattern(name: str) -> str:
    """What to look for: a decision may be named by its number alone."""
    return f"{name}*" if re.fullmatch(r"docs/decisions/\d{4}", name) else name


def _is_module(parts: list[str]) -> bool:
    path = REPOSITORY.joinpath(*parts)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def test_these_tests_find_what_they_look_for() -> None:
    text = "`faces.warp: x`, (docs/a.md), merec_hpc/b.py, merec_hpc.c.d, merec select, [a](b.md#c)"
    assert KEY.findall("faces.warp: x") == [("faces", "warp")]
    assert FILE.findall(text) == ["docs/a.md", "merec_hpc/b.py"]
    assert MODULE.findall(text) == ["merec_hpc.c.d"]
    assert COMMAND.findall(text) == ["select"]
    assert LINK.findall(text) == [("b.md", "c")]
