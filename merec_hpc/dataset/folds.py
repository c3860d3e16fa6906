"""Lists the folds of a protocol: which subjects each holds out."""

from collections.abc import Sequence
from dataclasses import dataclass

from merec_hpc.config.evaluation import EvaluationSettings
from merec_hpc.dataset.clip import Clip
from merec_hpc.errors import MerecError


@dataclass(frozen=True)
class FoldSize:
    """A fold, named after the subject that it holds out, by its number, or by the split."""

    fold: str
    n_held_out: int
    n_training: int


@dataclass(frozen=True)
class FoldMember:
    """A subject, and the fold that holds it out."""

    fold: str
    subject: str


def fold_members(clips: Sequence[Clip], settings: EvaluationSettings) -> list[FoldMember]:
    """Return the subjects that each fold of the protocol holds out, fold by fold.

    Raises
    ------
    MerecError
        If there are fewer subjects than folds, no official split, or a subject on both sides.
    """
    subjects = list(dict.fromkeys(clip.subject for clip in clips))
    if settings.protocol == "leave_one_subject_out":
        return [FoldMember(subject, subject) for subject in subjects]
    if settings.protocol == "subject_folds":
        return _groups(clips, subjects, settings.n_folds)
    split = settings.held_out_split
    held_out = {clip.subject for clip in clips if clip.split == split}
    others = {clip.subject for clip in clips if clip.split != split}
    if not held_out or not others:
        found = ", ".join(sorted({clip.split or "none" for clip in clips}))
        msg = f"evaluation.protocol official_split: clips of split {split} and of others expected, "
        raise MerecError(msg + f"found {found}")
    if held_out & others:
        both = min(held_out & others)
        msg = f"subject '{both}': clips of one side of the split expected, found of both"
        raise MerecError(msg)
    return [FoldMember(split, subject) for subject in subjects if subject in held_out]


def count_folds(clips: Sequence[Clip], members: Sequence[FoldMember]) -> list[FoldSize]:
    """Return one row a fold.

    Raises
    ------
    MerecError
        If a fold leaves fewer than two subjects, or two classes, to train on.
    """
    fold_of = {row.subject: row.fold for row in members}
    n_all = len({clip.subject for clip in clips})
    rows = []
    if not members:
        msg = "clips of at least three subjects expected, found 0"
        raise MerecError(msg)
    for fold in dict.fromkeys(row.fold for row in members):
        training = [clip for clip in clips if fold_of.get(clip.subject) != fold]
        n_subjects = len({clip.subject for clip in training})
        if n_subjects < 2:
            msg = f"clips of at least three subjects expected, found {n_all}"
            if n_all > 2:
                msg = f"at least two subjects expected without fold '{fold}', found {n_subjects}"
            raise MerecError(msg)
        labels = sorted({clip.label for clip in training})
        if len(labels) < 2:
            msg = f"two classes expected without fold '{fold}', found {', '.join(labels)}"
            raise MerecError(msg)
        rows.append(FoldSize(fold, len(clips) - len(training), len(training)))
    return rows


def _groups(clips: Sequence[Clip], subjects: Sequence[str], n_folds: int) -> list[FoldMember]:
    """Deal subjects out, those with most clips first, each to the fold with fewest clips."""
    if len(subjects) < n_folds:
        msg = (
            f"evaluation.n_folds: at most {len(subjects)}, the subjects, expected, found {n_folds}"
        )
        raise MerecError(msg)
    counts = {subject: sum(clip.subject == subject for clip in clips) for subject in subjects}
    sizes = [0] * n_folds
    members = []
    for subject in sorted(subjects, key=lambda name: -counts[name]):
        fold = sizes.index(min(sizes))
        sizes[fold] += counts[subject]
        members.append(FoldMember(f"fold{fold + 1}", subject))
    return sorted(members, key=lambda row: (int(row.fold.removeprefix("fold")), row.subject))
