"""Importing the package changes nothing of the process, and each command imports little."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from merec_hpc import cli

PACKAGE = REPOSITORY / "merec_hpc"


def _name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _imported(path: Path) -> set[str]:
    """What a module imports as it is imported itself; of ``from a import b``, ``a`` and ``a.b``."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


IMPORTS = {_name(path): _imported(path) for path in sorted(PACKAGE.rglob("*.py"))}

# What libraries do as they are imported is theirs: they come first.
PROGRAM = """
import csv, importlib, logging, os, random, signal, sys, warnings

for name in {libraries}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        pass  # the name of something in a module
import cv2, matplotlib, numba, numpy, torch

def state():
    return dict(
        numba={{name: value for name, value in vars(numba.config).items() if name.isupper()}},
        matplotlib=dict(matplotlib.rcParams),
        torch=(
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.backends.cudnn.benchmark,
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.initial_seed(),
        ),
        cv2=cv2.getNumThreads(),
        numpy=(numpy.geterr(), numpy.get_printoptions(), numpy.random.get_state()[1].tolist()),
        random=random.getstate(),
        csv=csv.field_size_limit(),
        logging=(list(logging.root.handlers), logging.root.level),
        warnings=list(warnings.filters),
        signals={{number: signal.getsignal(number) for number in signal.valid_signals()}},
        environment=dict(os.environ),
        folder=os.getcwd(),
        recursion=sys.getrecursionlimit(),
        hooks=(sys.excepthook, sys.stdout, sys.stderr),
    )

before = state()
for name in {modules}:
    importlib.import_module(name)
after = state()
print([name for name in before if before[name] != after[name]])
"""

# Which commands need a library before it is known what they are to do.
NEEDED = {
    "torch": {"plan"},
    "matplotlib": {"render-report"},
    "mpi4py": set[str](),
    "sklearn": set[str](),
}


def _reached(module: str) -> set[str]:
    """The roots of all libraries that come with a module."""
    seen, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += IMPORTS.get(name, set())
    return {name.split(".")[0] for name in seen}


def test_importing_every_module_changes_nothing_of_the_process() -> None:
    modules = sorted(IMPORTS.keys() - {"merec_hpc.__main__"})
    libraries = sorted({name for names in IMPORTS.values() for name in names} - {*modules})
    libraries = [name for name in libraries if name.split(".")[0] != "merec_hpc"]
    code = PROGRAM.format(libraries=libraries, modules=modules)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_command_imports_the_libraries_that_it_needs(command: str) -> None:
    reached = _reached(f"merec_hpc.commands.{command.replace('-', '_')}")
    assert reached & NEEDED.keys() == {name for name in NEEDED if command in NEEDED[name]}


def test_estimators_import_no_torch() -> None:
    reached = _reached("merec_hpc.selection.estimators")
    assert "sklearn" in reached
    assert "torch" not in reached
