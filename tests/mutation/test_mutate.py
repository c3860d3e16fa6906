"""Mutants of a toy package, of which some live."""

import subprocess
import sys
from pathlib import Path

import pytest
from mutation.mutants import mutants_of

COMMAND = Path(__file__).with_name("mutate.py")
MODULE = """
def larger(first: int, second: int) -> int:
    return first if first > second else second


def is_large(number: int) -> bool:
    return number > 7


def total(first: int, second: int) -> int:
    return first + second
"""
TESTS = """
from merec_hpc.toys.sums import is_large, larger, total


def test_numbers() -> None:
    assert (larger(1, 2), larger(2, 1)) == (2, 2)
    assert (is_large(9), is_large(1)) == (True, False)
    assert total(1, 2) == 3
"""
HEADING = "file\tline\tplace\tchange\treason\n"
EQUIVALENT = (
    "merec_hpc/toys/sums.py\treturn first if first > second else second\t17\t"
    "first > second -> first >= second\tof equal numbers either is the larger\n"
)
OLD = "merec_hpc/toys/sums.py\treturn first\t8\tfirst -> second\tthe line is gone\n"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    files = {
        "merec_hpc/__init__.py": "",
        "merec_hpc/toys/__init__.py": "",
        "merec_hpc/toys/sums.py": MODULE,
        "tests/toys/test_sums.py": TESTS,
        "tests/mutation/survivors.tsv": HEADING + EQUIVALENT,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(root: Path) -> tuple[int, list[str]]:
    arguments = [sys.executable, COMMAND, "toys", "--root", root, "--workers", "1"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_survivors_without_a_reason_are_listed(toy: Path) -> None:
    status, lines = run(toy)
    assert status == 1
    assert lines[0].startswith("toys.sums: 4 mutants, 3 survive, ")
    assert lines[1:] == [
        "merec_hpc/toys/sums.py:7: number > 7 -> number >= 7",
        "    8: return number > 7",
        "merec_hpc/toys/sums.py:7: 7 -> 8",
        "    17: return number > 7",
        "4 mutants, 1 killed, 3 survive",
        "2 of them have no reason in tests/mutation/survivors.tsv",
    ]


def test_all_is_well_where_every_survivor_has_a_reason(toy: Path) -> None:
    with (toy / "tests" / "toys" / "test_sums.py").open("a") as file:
        file.write("    assert not is_large(7)\n    assert is_large(8)\n")
    status, lines = run(toy)
    assert (status, lines[-1]) == (0, "4 mutants, 3 killed, 1 survive")


def test_reason_of_a_mutant_that_is_no_more_is_named(toy: Path) -> None:
    (toy / "tests" / "toys" / "test_sums.py").unlink()
    (toy / "tests" / "mutation" / "survivors.tsv").write_text(HEADING + OLD)
    status, lines = run(toy)
    assert status == 1
    assert lines[-1].endswith("merec_hpc/toys/sums.py | return first | 8 | first -> second")


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("a < b <= c", ["a < b <= c -> a <= b <= c", "a < b <= c -> a < b < c"]),
        ("a == b", ["a == b -> a != b"]),
        ("a + b * c", ["a + b * c -> a - b * c", "b * c -> b / c"]),
        ("a += 1", ["a += 1 -> a -= 1", "1 -> 2"]),
        ("a and not b", ["a and (not b) -> a or not b", "not b -> b"]),
        ("f(a, True)", ["True -> False"]),
        ("f(a, b)", ["f(a, b) -> f(b, a)"]),
        ("max(a, b)", ["max(a, b) -> min(a, b)"]),
        ("x.max(axis=1)", ["x.max(axis=1) -> x.min(axis=1)", "x.max(axis=1) -> x.max(axis=0)"]),
        ("x.argmin(axis=0)", ["x.argmin(axis=0) -> x.argmax(axis=0)", "0 -> 1"]),
        ("x.argsort(kind='stable')", ["x.argsort(kind='stable') -> x.argsort()"]),
        ("x[:n]", [":n -> :n + 1"]),
        ("x[::-1]", ["-1 -> 1", "1 -> 2"]),
        ("seed = 12345", []),
        ("f'{a + 1}'", []),
        ("def f(a: X[1] = 0) -> X[2]: ...", []),
        ("zip(a, strict=True)", []),
    ],
)
def test_every_kind_of_mistake_is_made(source: str, changes: list[str]) -> None:
    mutants = mutants_of("file.py", source)
    found = [mutant.key[3] for mutant in mutants]
    assert [change for change in found if change != "1 -> 2"] == [
        change for change in changes if change != "1 -> 2"
    ]
    assert set(found) >= set(changes)
    assert len({mutant.source for mutant in mutants}) == len(mutants)
    assert source not in [mutant.source for mutant in mutants]
