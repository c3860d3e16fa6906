"""Predictions as the logs of the Micro-Expression Grand Challenge.

A fold is a line of database and held-out subject, ``casme2 sub01``, then a line of clip, class and
prediction for each of its clips, and an empty line. Classes are numbers: of MEGC2019's composite
0 negative, 1 positive, 2 surprise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from merec_hpc.errors import MerecError
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.files.atomic import published


@dataclass(frozen=True)
class LoggedClip:
    """One line of a log, and the fold that it stands in."""

    database: str
    subject: str
    clip: str
    label: str
    predicted: str


def logged_clips(
    predictions: Sequence[Prediction], database: str, databases: Sequence[str] = ()
) -> list[LoggedClip]:
    """Return the predictions of one method as a log has them, classes by number.

    Parameters
    ----------
    database
        The name of the data, where a subject's own name does not begin with one.
    databases
        Names that those of a composite's subjects and clips begin with, as in ``smic_s01``.
    """
    classes = sorted({row.label for row in predictions} | {row.predicted for row in predictions})
    rows = []
    for row in predictions:
        own = next((name for name in databases if row.subject.startswith(f"{name}_")), "")
        rows.append(
            LoggedClip(
                own or database,
                row.subject.removeprefix(f"{own}_"),
                row.clip.removeprefix(f"{own}_"),
                str(classes.index(row.label)),
                str(classes.index(row.predicted)),
            )
        )
    return rows


def write_log(path: Path, clips: Sequence[LoggedClip]) -> None:
    """Write a log; the clips of a subject stand together."""
    folds = []
    for (database, subject), rows in groupby(clips, lambda row: (row.database, row.subject)):
        lines = [f"{row.clip} {row.label} {row.predicted}" for row in rows]
        folds.append("\n".join([f"{database} {subject}", *lines]))
    with published(path) as partial:
        partial.write_text("\n\n".join(folds) + "\n", encoding="utf-8")


def read_log(path: Path) -> list[LoggedClip]:
    """Read a log.

    Raises
    ------
    MerecError
        If a fold does not begin with database and subject, or a line has not three parts.
    """
    clips: list[LoggedClip] = []
    head: list[str] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: a log of MEGC expected, found: {error}"
        raise MerecError(msg) from None
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if not parts:
            head = []
        elif not head:
            if len(parts) != 2:
                msg = f"{path}, line {number}: database and subject expected, found '{line}'"
                raise MerecError(msg)
            head = parts
        elif len(parts) != 3:
            msg = f"{path}, line {number}: clip, class and prediction expected, found '{line}'"
            raise MerecError(msg)
        else:
            clips.append(LoggedClip(*head, *parts))
    if not clips:
        msg = f"{path}: at least one clip expected, found none"
        raise MerecError(msg)
    return clips
