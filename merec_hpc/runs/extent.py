"""Finds out how many clips, subjects and folds an experiment has, from what is there of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from merec_hpc.config.whole import Config
from merec_hpc.dataset.catalog import list_clips, read_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.corrections import correct
from merec_hpc.dataset.folds import FoldMember, FoldSize, count_folds, fold_members
from merec_hpc.dataset.frames import file_states
from merec_hpc.dataset.readers import find_reader
from merec_hpc.dataset.readers.smic_names import plain_name
from merec_hpc.dataset.schemes import find_scheme
from merec_hpc.dataset.simulated import PRESETS, PlannedClip, plan_clips
from merec_hpc.dataset.sources import Folder, Video
from merec_hpc.errors import MerecError
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Failure
from merec_hpc.runs.checks import check_clips
from merec_hpc.runs.experiment import dataset_folder, results_folder


@dataclass(frozen=True)
class Extent:
    """How much there is to do."""

    clips: tuple[Clip, ...]
    """In the catalog's order; made up where nobody has read any."""
    n_frames: tuple[int, ...]
    """Of each clip, as released."""
    members: tuple[FoldMember, ...]
    """Whom each fold holds out."""
    folds: tuple[FoldSize, ...]
    source: str
    """Where this is known from."""

    @property
    def subjects(self) -> list[str]:
        """The subjects, in the catalog's order."""
        return list(dict.fromkeys(clip.subject for clip in self.clips))

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len({clip.label for clip in self.clips})

    def frames_of(self, subject: str) -> int:
        """Return the number of frames of a subject's clips."""
        together = zip(self.clips, self.n_frames, strict=True)
        return sum(count for clip, count in together if clip.subject == subject)

    def clips_of(self, subject: str) -> int:
        """Return the number of a subject's clips."""
        return sum(clip.subject == subject for clip in self.clips)


def find_extent(config: Config, folder: Path = Path(), frames: int = 40) -> Extent:
    """Return the extent of an experiment: of its catalog, else as its dataset is known.

    Parameters
    ----------
    folder
        Where the results lie.
    frames
        Of clips whose number of frames nobody knows.

    Raises
    ------
    MerecError
        If nothing is known, the dataset's folder is no release of it, or the protocol or the
        inner folds ask too much.
    """
    catalog = folder / results_folder(config) / "catalog.tsv"
    root = folder / dataset_folder(config)
    if catalog.is_file():
        clips = read_catalog(catalog)
        source = str(results_folder(config) / "catalog.tsv")
        if config.dataset == "simulated":
            known = {clip.clip: count for clip, count in _simulated(config)}
            return extent_of(
                config, clips, [known.get(c.clip, frames) for c in clips], source, folder
            )
        return extent_of(config, clips, _count_frames(root, clips, frames), source, folder)
    if config.dataset == "simulated":
        simulated = _simulated(config)
        counts = [count for _, count in simulated]
        source = "as they will be simulated"
        return extent_of(config, [clip for clip, _ in simulated], counts, source, folder)
    if root.is_dir():
        clips = list_clips(root, config.dataset_settings).clips
        if config.corrections is not None:
            clips, _ = correct(folder / config.corrections, clips)
        source = f"listed in {root}, frames not audited"
        return extent_of(config, clips, _count_frames(root, clips, frames), source, folder)
    reader = find_reader(config.dataset)
    if reader.scheme is not None:
        scheme = find_scheme(reader.scheme(config.dataset_settings))
        if scheme.counts and scheme.n_subjects:
            labels = [
                name
                for name, count in zip(scheme.classes, scheme.counts, strict=True)
                for _ in range(count)
            ]
            return _made_up(config, labels, scheme.n_subjects, frames, "as published, nothing read")
    msg = (
        f"{catalog}: a catalog expected for dataset '{config.dataset}', or its folder, or --clips "
        "and --subjects, found none of them"
    )
    raise MerecError(msg)


def check_simulated(config: Config) -> None:
    """Raise a ``MerecError`` if a dataset still to be simulated is too small for what is asked."""
    if config.dataset == "simulated":
        check_clips(config, [clip for clip, _ in _simulated(config)])


def assumed_extent(
    config: Config, n_clips: int, n_subjects: int, n_classes: int, frames: int
) -> Extent:
    """Return the extent of a dataset of so many clips, as evenly spread as can be.

    Raises
    ------
    MerecError
        If the protocol or the inner folds ask too much.
    """
    labels = [str(place % n_classes) for place in range(n_clips)]
    return _made_up(config, labels, n_subjects, frames, "options")


def _made_up(
    config: Config, labels: Sequence[str], n_subjects: int, frames: int, source: str
) -> Extent:
    """Return clips dealt out to subjects; of an official split a fifth of these is held out."""
    clips = []
    for place, label in enumerate(labels):
        # Shifted each round: no subject has the clips of one class alone.
        subject = (place + place // n_subjects) % n_subjects
        split = config.evaluation.held_out_split if subject % 5 == 0 else "train"
        clips.append(Clip(f"c{place:05d}", f"s{subject:03d}", label, Folder(""), split=split))
    return extent_of(config, clips, [frames] * len(clips), source, None)


def extent_of(
    config: Config,
    clips: Sequence[Clip],
    n_frames: Sequence[int],
    source: str,
    folder: Path | None,
) -> Extent:
    """Return the extent of clips; those that stages have left out are in no fold.

    Parameters
    ----------
    n_frames
        Of each clip.
    folder
        Where the results lie; ``None`` if there are none.

    Raises
    ------
    MerecError
        If the protocol or the inner folds ask too much.
    """
    lost = set() if folder is None else _left_out(folder / results_folder(config), clips)
    kept = [clip for clip in clips if clip.clip not in lost]
    check_clips(config, kept)
    members = fold_members(kept, config.evaluation)
    folds = count_folds(kept, members)
    return Extent(tuple(clips), tuple(n_frames), tuple(members), tuple(folds), source)


def _left_out(results: Path, clips: Sequence[Clip]) -> set[str]:
    """Return the clips that stages have left out, as far as they are done."""
    everything = results / "failures.tsv"
    subjects = dict.fromkeys(clip.subject for clip in clips)
    tables = [results / "faces" / f"{subject}.failures.tsv" for subject in subjects]
    lost: set[str] = set()
    for table in [everything] if everything.is_file() else tables:
        if table.is_file():
            lost |= {failure.clip for failure in read_rows(table, Failure)}
    return lost


def _count_frames(root: Path, clips: Sequence[Clip], frames: int) -> list[int]:
    """Return the frames of clips, of their marks or of the images that are there."""
    counts = []
    for clip in clips:
        if clip.onset is not None and clip.offset is not None:
            counts.append(clip.offset - clip.onset + 1)
        else:  # a video is one file, whose frames nobody has counted
            n_files = len(file_states(root, clip))
            is_known = n_files > 0 and not isinstance(clip.source, Video)
            counts.append(n_files if is_known else frames)
    return counts


def _simulated(config: Config) -> list[tuple[Clip, int]]:
    """Return the clips that will be simulated, as the catalog will name them, and their frames."""
    settings = config.dataset_settings
    camera = PRESETS[settings.preset].camera
    clips = [
        (Clip(*_names(clip, camera), clip.label, Folder("")), clip.n_frames)
        for clip in plan_clips(settings)
    ]
    if not camera:
        return clips
    classes = [clip.label for clip, _ in clips]
    order = {label: place for place, label in enumerate(sorted(Counter(classes)))}
    return sorted(clips, key=lambda one: (one[0].subject, order[one[0].label], one[0].clip))


def _names(clip: PlannedClip, camera: str) -> tuple[str, str]:
    """Return the names of a clip and its subject in the catalog."""
    if not camera:
        subject, name = clip.casme2_name
        return f"sub{subject}_{name}", f"sub{subject}"
    kind = clip.folder(Path(), camera).name.split("_")[1]
    return plain_name(str(clip.subject), kind, str(clip.number)), f"s{clip.subject:02d}"
