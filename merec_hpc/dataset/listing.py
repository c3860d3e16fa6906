"""What a reader of a dataset returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from merec_hpc.dataset.clip import Clip
from merec_hpc.errors import MerecError

Consequence = Literal["stops the run", "clip left out", "noted"]


WHOLE = "(all)"
"""In place of clip and subject of a fault of the dataset as a whole."""


@dataclass(frozen=True)
class Fault:
    """One fault of a clip, or of a dataset as a whole, and what follows from it."""

    clip: str
    subject: str
    consequence: str
    fault: str


@dataclass(frozen=True)
class Listing:
    """The clips that a dataset lists, before anything is known of their frames."""

    clips: list[Clip]
    """With the emotion as it was annotated for a label; a scheme makes a class of it."""
    source: str = ""
    """The sheet or folder that was read."""
    faults: list[Fault] = field(default_factory=list)
    """What the reader itself found wrong."""
    classes: tuple[str, ...] = ()
    """In the order in which they are numbered; empty before a scheme is applied."""


@dataclass(frozen=True)
class Reader:
    """How one dataset is read, from its folder and the section of its settings."""

    read: Callable[[Path, Any], Listing]
    """From the folder and the settings; emotions as they were annotated."""
    scheme: Callable[[Any], str] | None = None
    """The name of the scheme that the settings ask for; without one labels are classes."""
    has_marks: bool = False
    """Whether a sheet gives onset, apex and offset of every clip: a missing one is a fault."""
    has_splits: bool = False
    """Whether clips may be of an official split."""


def chosen_scheme(settings: Any) -> str:
    """Return the scheme of a section that has the key ``scheme``."""
    scheme: str = settings.scheme
    return scheme


def is_objective(scheme: str) -> bool:
    """Return whether a scheme is of objective classes instead of estimated emotions."""
    return "objective" in scheme or scheme.startswith("megc2018")


_BLOCK = 1000  # images


def block_name(split: str, number: int) -> str:
    """Return a block of an official split in the place of a subject who is not known.

    Stages work by subject, and folds hold out whole subjects: images of unknown people stand
    in blocks by their number, which no split shares with another. That one person's images do
    not lie in several blocks, nobody can promise.
    """
    return f"{split}{number // _BLOCK:03d}"


def with_marks_checked(listing: Listing) -> Listing:
    """Leave out what a sheet gives no onset or offset for, and note what has no apex."""
    faults = list(listing.faults)
    for clip in listing.clips:
        for name in ("onset", "offset", "apex"):
            if getattr(clip, name) is None:
                consequence: Consequence = "noted" if name == "apex" else "clip left out"
                said = f"the sheet has no {name}"
                faults.append(Fault(clip.clip, clip.subject, consequence, said))
    return replace(listing, faults=faults)


def names_in(folder: Path) -> str:
    """Return what lies in a folder, for a message."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"


def folder_below(root: Path, candidates: Sequence[str]) -> Path | None:
    """Return the first of some folders that is there, its name in any case; or the root itself.

    A root that bears one of the names, and holds none, is taken for that folder: users name
    what they see.
    """
    wanted = [candidate.casefold() for candidate in candidates]
    for candidate in wanted:
        folder: Path | None = root
        for part in candidate.split("/"):
            folder = entry_named(folder, part) if folder is not None else None
        if folder is not None and folder.is_dir():
            return folder
    is_named = root.name.casefold() in {name.split("/")[-1] for name in wanted}
    return root if is_named else None


def needed_folder(root: Path, candidates: Sequence[str], dataset: str) -> Path:
    """Return what ``folder_below`` finds, or raise a ``MerecError`` that names the candidates."""
    folder = folder_below(root, candidates)
    if folder is None:
        names = " or ".join(f"'{name}'" for name in candidates)
        msg = f"{root}: a folder {names} of {dataset} expected, found {names_in(root)}"
        raise MerecError(msg)
    return folder


def entry_named(folder: Path, name: str) -> Path | None:
    """Return the entry of a folder with this name, in any case; exactly that name first."""
    exact = folder / name
    if exact.exists():
        return exact
    if not folder.is_dir():
        return None
    return next(
        (entry for entry in sorted(folder.iterdir()) if entry.name.casefold() == name.casefold()),
        None,
    )


def unlisted_folders(root: Path, frames: Path, pattern: str, clips: Sequence[Clip]) -> list[Fault]:
    """Note every folder of frames that no row of the sheet names.

    Parameters
    ----------
    frames, pattern
        Folder of all frames, and the pattern of the clips' folders in it, such as ``sub*/*``.
    """
    listed = {clip.source.text.casefold() for clip in clips}
    return [
        Fault(WHOLE, WHOLE, "noted", f"{path}: a folder that the sheet does not name")
        for folder in sorted(frames.glob(pattern))
        if folder.is_dir()
        and (path := folder.relative_to(root).as_posix()).casefold() not in listed
    ]


def find_sheet(root: Path, patterns: Sequence[str], given: str | None) -> Path:
    """Return the sheet of a dataset: the one that was given, or the only one that fits.

    Raises
    ------
    MerecError
        If none fits, or several do: sheets of different versions disagree.
    """
    if given is not None:
        path = root / given
        if not path.is_file():
            msg = f"{path}: a sheet expected, found {names_in(path.parent)}"
            raise MerecError(msg)
        return path
    places = (root, root.parent)
    for place in places:
        found = sorted(
            path
            for path in place.iterdir()
            if any(fnmatch(path.name.casefold(), pattern.casefold()) for pattern in patterns)
            and not path.name.startswith(("~", "."))
        )
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            msg = f"{place}: one sheet expected, found {names}: name one by the setting 'sheet'"
            raise MerecError(msg)
        if found:
            return found[0]
    msg = f"{root}: a sheet like {patterns[0]} expected, found {names_in(root)}"
    raise MerecError(msg)
