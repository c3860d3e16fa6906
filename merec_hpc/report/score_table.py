"""Turns predictions into a table of scores: all of them, and each database of a composite."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.evaluation.predictions import Prediction
from merec_hpc.files.rows import Columns
from merec_hpc.metrics import majority_share
from merec_hpc.report.scores import as_columns, by_method, score_columns, score_methods

COMPOSITE = ("smic", "casme2", "samm")
"""The databases of MEGC2019, which the names of its subjects and clips begin with."""


@dataclass(frozen=True)
class ScoreRow:
    """One method on the clips of one database, or on all."""

    database: str
    method: str
    classifier: str
    n_clips: int
    n_subjects: int
    majority: float
    scores: Annotated[Mapping[str, float], Columns(score_columns)]
    """Each metric, and the ends of its interval."""
    precision: float
    recall: float
    F1: float
    F1_weighted: float
    AUC: float | None


def score_table(rows: list[Prediction]) -> list[ScoreRow]:
    """Return one row a method for all clips, and for each database if there are several."""
    databases = dict.fromkeys(_database(row) for row in rows)
    scored = _score_part(rows, "all")
    if len(databases) > 1:
        for name in databases:
            scored += _score_part([row for row in rows if _database(row) == name], name)
    return scored


def _database(row: Prediction) -> str:
    head = row.subject.partition("_")[0]
    return head if head in COMPOSITE else "all"


def _score_part(rows: list[Prediction], database: str) -> list[ScoreRow]:
    groups = by_method(rows)
    found = []
    for scores in score_methods(rows, EvaluationSettings()):
        group = groups[scores.method, scores.classifier]
        found.append(
            ScoreRow(
                database=database,
                method=scores.method,
                classifier=scores.classifier,
                n_clips=len(group),
                n_subjects=len({row.subject for row in group}),
                majority=majority_share([row.label for row in group]),
                scores=as_columns(scores.scores),
                precision=scores.macro.precision,
                recall=scores.macro.recall,
                F1=scores.macro.f1,
                F1_weighted=scores.weighted.f1,
                AUC=scores.auc,
            )
        )
    return found
