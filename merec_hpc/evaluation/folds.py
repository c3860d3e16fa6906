"""Lists the folds: every subject is held out once."""

from collections.abc import Sequence
from dataclasses import dataclass

from merec_hpc.arrays import Clip
from merec_hpc.errors import MerecError


@dataclass(frozen=True)
class SubjectFold:
    """A fold, named after the subject that it holds out."""

    fold: str
    n_held_out: int
    n_training: int


def subject_folds(clips: Sequence[Clip]) -> list[SubjectFold]:
    """Return one fold a subject, in the order of their first clips.

    Raises
    ------
    MerecError
        If fewer than three subjects have clips (one held out, and two for the inner folds),
        or if a fold's training subjects show fewer than two classes.
    """
    subjects = list(dict.fromkeys(clip.subject for clip in clips))
    if len(subjects) < 3:
        msg = f"clips of at least three subjects expected, found {len(subjects)}"
        raise MerecError(msg)
    for subject in subjects:
        labels = {clip.label for clip in clips if clip.subject != subject}
        if len(labels) < 2:
            msg = f"two classes expected without subject '{subject}', found {', '.join(labels)}"
            raise MerecError(msg)
    counts = {subject: sum(clip.subject == subject for clip in clips) for subject in subjects}
    return [SubjectFold(subject, count, len(clips) - count) for subject, count in counts.items()]
