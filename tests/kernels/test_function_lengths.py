"""Kernels are short enough to read: a long one says why it is long."""

import ast
from pathlib import Path

import pytest

import merec_hpc.kernels

MOST_LINES = 40
REASON = "# Long because "
FILES = sorted(Path(merec_hpc.kernels.__file__).parent.glob("*.py"))


def too_long(source: str) -> list[str]:
    """Functions whose bodies, without docstrings, are too long, and that do not say why."""
    lines = source.splitlines()
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        n_lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        if n_lines > MOST_LINES and not _is_explained(lines[: first - 1]):
            found.append(node.name)
    return found


def _is_explained(above: list[str]) -> bool:
    """Whether the comment that ends right above a function begins with a reason."""
    for line in reversed(above):
        if not line.strip().startswith("#"):
            return False
        if line.strip().startswith(REASON):
            return True
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_functions_are_short_or_say_why_not(path: Path) -> None:
    assert too_long(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("above", "n_lines", "expected"),
    [
        ("", 40, []),
        ("", 41, ["f"]),
        ("# Long because a loop must stay in registers,\n# all of it.\n@decorated\n", 41, []),
        ("# Long because it is.\n\n", 41, ["f"]),
        ("# Long, too.\n", 41, ["f"]),
    ],
)
def test_long_functions_are_seen(above: str, n_lines: int, expected: list[str]) -> None:
    body = "    x = 1\n" * n_lines
    assert too_long(f'{above}def f():\n    """Say\n\n    something."""\n{body}') == expected
