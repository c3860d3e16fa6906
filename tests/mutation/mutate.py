"""Makes small mistakes in the library, one at a time, and lists those that no test notices.

    make mutants
    python tests/mutation/mutate.py learning selection.genetic --most 8 --workers 4

A mutant is a module with one operator, number, truth value, order of arguments, axis, bound of a
slice or name such as ``argmax`` changed; texts and annotations are left alone. It is written into
a copy of the package, where the test files of its module run until the first fails. Mutants that
survive are printed as ``file:line: before -> after``, and the exit status is 1, unless
``survivors.tsv`` says why they may live: a row is the file, the text of the line, the place
in it, the change and the reason. So it is if a row is of a mutant that there is no more.
"""

import argparse
import csv
import importlib
import multiprocessing
import os
import random
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from mutants import Key, Mutant, mutants_of

ROOT = Path(__file__).parents[2]
ROOMS = ("metrics", "criteria", "learning", "selection", "evaluation", "report")
# Test files of modules whose laws stand elsewhere than in tests/<room>/test_<module>.py.
TESTED_BY = {
    "evaluation.predictions": ("evaluation/test_held_out.py", "report/test_scores.py"),
    "selection.training_folds": (
        "selection/test_training_folds.py",
        "selection/test_leakage.py",
        "commands/test_predict_and_score.py",
        "test_cli.py",
    ),
    "selection.steps": ("selection/test_forward.py", "selection/test_filters.py"),
    "selection.mask_selector": ("selection/test_estimators.py",),
    "selection.selectors": ("selection/test_selectors.py", "selection/test_leakage.py"),
    "selection.genetic.archipelago": (
        "selection/genetic/test_archipelago.py",
        "selection/genetic/test_teams.py",
    ),
}
# Imported once, by the process that every run of the tests is forked from.
SLOW_IMPORTS = (
    *("cv2", "h5py", "imblearn.over_sampling", "jinja2", "matplotlib.figure", "numba", "pandas"),
    *("pydantic", "scipy.stats", "sklearn.ensemble", "sklearn.model_selection", "sklearn.svm"),
)
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Verdict:
    """What became of the mutants of a module."""

    module: str
    n_mutants: int
    survivors: list[Mutant]
    seconds: float


def modules_of(package: Path, names: Sequence[str]) -> list[str]:
    """Return the modules of the package that are named, or are in a folder that is."""
    modules = [
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in sorted(package.rglob("*.py"))
        if path.name != "__init__.py"
    ]
    return [
        module for module in modules if any(f"{module}.".startswith(f"{name}.") for name in names)
    ]


def tests_of(tests: Path, module: str) -> list[Path]:
    """Return the test files of a module."""
    *folders, name = module.split(".")
    mirror = tests.joinpath(*folders, f"test_{name}.py")
    files = [tests / file for file in TESTED_BY.get(module, ())] or [mirror]
    return [file for file in files if file.is_file()]


def judge(root: Path, folder: Path, module: str, most: int, seed: int) -> Verdict:
    """Run the tests of a module on mutants of it, in a copy of the package in ``folder``."""
    start = time.monotonic()
    file = Path("merec_hpc", *module.split(".")).with_suffix(".py")
    source = (root / file).read_text(encoding="utf-8")
    mutants = mutants_of(str(file), source)
    if len(mutants) > most:
        mutants = random.Random(f"{seed} {module}").sample(mutants, most)
    tests = tests_of(root / "tests", module)
    if not mutants or not tests:
        return Verdict(module, 0, [], 0.0)
    if not passes(root, folder, tests, limit=600):
        sys.exit(f"{module}: its tests fail without a mistake")
    limit = 20 + 4 * (time.monotonic() - start)
    survivors = []
    for mutant in mutants:
        (folder / file).write_text(mutant.source, encoding="utf-8")
        if passes(root, folder, tests, limit):
            survivors.append(mutant)
    (folder / file).write_text(source, encoding="utf-8")
    return Verdict(module, len(mutants), survivors, time.monotonic() - start)


def passes(root: Path, folder: Path, tests: Sequence[Path], limit: float) -> bool:
    """Return whether tests pass within ``limit`` seconds with the package of a folder."""
    run = FORK.Process(target=_run_tests, args=(root, folder, tests))
    run.start()
    run.join(limit)
    run.kill()
    run.join()
    return run.exitcode == 0


def _run_tests(root: Path, folder: Path, tests: Sequence[Path]) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    os.chdir(root)
    # Of processes that tests start, too; what Hypothesis finds is no business of the next mutant.
    os.environ |= {
        "PYTHONPATH": str(folder),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
    }
    sys.path.insert(0, str(folder))
    # One example that fails is enough: there is no need for the smallest.
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutants", phases=phases)
    options = ["-xq", "-pno:cacheprovider", "-Wignore::pytest.PytestAssertRewriteWarning"]
    options += ["--hypothesis-seed=0", "--hypothesis-profile=mutants"]
    os._exit(pytest.main([*options, *map(str, tests)]))


def _copied(root: Path, folder: Path) -> Path:
    """Copy the package; always to the same place, where Numba finds what it has compiled."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        root / "merec_hpc", folder / "merec_hpc", ignore=shutil.ignore_patterns("__pycache__")
    )
    return folder


def reasons_of(table: Path) -> dict[Key, str]:
    """Return why mutants may live, by file, line and change."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {
            (row["file"], row["line"], row["place"], row["change"]): row["reason"] for row in rows
        }


def outdated(root: Path, keys: Iterable[Key]) -> list[Key]:
    """Return the keys that no mutant has."""
    return [
        key
        for key in keys
        if not (root / key[0]).is_file()
        or key not in {mutant.key for mutant in mutants_of(key[0], (root / key[0]).read_text())}
    ]


_FOLDERS = FORK.Queue()  # that no process works in


def _judge_in_a_free_folder(root: Path, module: str, most: int, seed: int) -> Verdict:
    folder: Path = _FOLDERS.get()
    try:
        return judge(root, folder, module, most, seed)
    finally:
        _FOLDERS.put(folder)


def _judge_all(options: argparse.Namespace) -> Iterator[Verdict]:
    sys.dont_write_bytecode = True  # of two mutants of one second and size, one would be read
    for name in SLOW_IMPORTS:
        importlib.import_module(name)
    for worker in range(options.workers):
        _FOLDERS.put(_copied(options.root, options.root / "build" / "mutants" / str(worker)))
    with ProcessPoolExecutor(options.workers, mp_context=FORK) as pool:
        runs = [
            pool.submit(_judge_in_a_free_folder, options.root, module, options.most, options.seed)
            for module in modules_of(options.root / "merec_hpc", options.names)
        ]
        for run in as_completed(runs):
            yield run.result()


def main() -> int:
    """Judge the mutants that the command line asks for, and say which live."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("names", nargs="*", default=ROOMS, help="modules or rooms, such as report")
    parser.add_argument("--most", type=int, default=20, help="mutants of a module, drawn")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of merec_hpc and tests")
    options = parser.parse_args()
    reasons = reasons_of(options.root / "tests" / "mutation" / "survivors.tsv")
    n_mutants = n_survivors = n_unknown = 0
    for verdict in _judge_all(options):
        unknown = [mutant for mutant in verdict.survivors if mutant.key not in reasons]
        n_mutants += verdict.n_mutants
        n_survivors += len(verdict.survivors)
        n_unknown += len(unknown)
        counts = f"{verdict.n_mutants} mutants, {len(verdict.survivors)} survive"
        _say(f"{verdict.module}: {counts}, {verdict.seconds:.0f} s")
        for mutant in unknown:
            file, line, place, change = mutant.key
            _say(f"{file}:{mutant.number}: {change}\n    {place}: {line}")
    _say(f"{n_mutants} mutants, {n_mutants - n_survivors} killed, {n_survivors} survive")
    if n_unknown:
        _say(f"{n_unknown} of them have no reason in tests/mutation/survivors.tsv")
    old = outdated(options.root, reasons)
    for key in old:
        _say(f"no mutant any more, in tests/mutation/survivors.tsv: {' | '.join(key)}")
    return int(n_unknown > 0 or len(old) > 0)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
