"""Extract the features of all clips."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from merec_hpc import __version__
from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.commands.options import Catalog, Faces, Interpolation, Output, Settings, Threads
from merec_hpc.config.base import from_json
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.config.features import FeatureSettings
from merec_hpc.dataset.catalog import apexes_of, read_catalog
from merec_hpc.errors import MerecError
from merec_hpc.features.extractors import EXTRACTORS, NETWORK, Names, Row, find_extractor
from merec_hpc.features.joining import joined_features
from merec_hpc.files.digest import sha256
from merec_hpc.parallel.threads import limit_library_threads
from merec_hpc.progress import track
from merec_hpc.records import FeaturePart
from merec_hpc.store.faces import iterate_face_clips, read_face_index
from merec_hpc.store.feature_parts import FeatureParts
from merec_hpc.store.features import write_features

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    faces: Faces,
    settings: Settings,
    output: Output,
    interpolation: Interpolation = "{}",
    extractor: Annotated[str, typer.Option(help=f"One of {', '.join(EXTRACTORS)}.")] = NETWORK,
    weights: Annotated[Path | None, typer.Option(help="Weights of the network.")] = None,
    audit: Annotated[
        Path | None, typer.Option(help="Table of the dataset's faults, to record its digest.")
    ] = None,
    threads: Threads = 1,
) -> None:
    """Extract the features of all clips: of a network's layer, on CUDA where there is one.

    The catalog is that of find-apexes, with an apex of every clip. The features of each subject
    are kept in OUTPUT.parts/ as soon as they are there: a new subject, or another start after an
    end, costs no more than what is missing.
    """
    cv2.setNumThreads(1)
    limit_library_threads()
    kind = find_extractor(extractor)
    parsed: Any = from_json(kind.settings, settings)
    if isinstance(parsed, FeatureSettings):  # the section knows more than this extraction
        parsed = replace(parsed, extractor=extractor, blocks=())
    interpolated = from_json(InterpolationSettings, interpolation, "--interpolation")
    if weights is not None and not kind.has_weights:
        msg = f"--weights: no file expected for extractor {extractor}, found {weights}"
        raise MerecError(msg)
    if weights is not None and not weights.is_file():
        msg = f"{weights}: weights expected, found no such file"
        raise MerecError(msg)
    if audit is not None and not audit.is_file():
        msg = f"{audit}: a table of faults expected, found no such file"
        raise MerecError(msg)
    digest = "" if weights is None else sha256(weights)
    apexes = apexes_of(read_catalog(catalog))
    parts = FeatureParts(
        output.with_name(output.name + ".parts"),
        f"{__version__} {extractor} {parsed} {interpolated} {digest}",
    )
    subjects = [_Subject.of(path, apexes, parts) for path in faces]
    missing = [subject for subject in subjects if parts.read(subject.part) is None]
    log.info("%s, %d threads", parsed, threads)
    log.info("%d of %d subjects are known already", len(faces) - len(missing), len(faces))
    if missing:
        opened = kind.load().open_extractor(parsed, weights)
        # All clips are one stream, so that nothing waits at the end of a subject.
        clips = chain.from_iterable(subject.read(interpolated.n_frames) for subject in missing)
        rows = opened.extract(clips, threads)
        for subject in track(missing, "subjects", len(missing)):
            subject.keep(islice(rows, len(subject.clips)), parts)
    complete = [part for part in (parts.read(subject.part) for subject in subjects) if part]
    if not complete:
        msg = "clips expected, found none in any of the files"
        raise MerecError(msg)
    made_of: dict[str, object] = {
        "catalog_sha256": sha256(catalog),
        "faces_sha256": {subject.faces.name: subject.faces_sha256 for subject in subjects},
    }
    if audit is not None:
        made_of["audit_sha256"] = sha256(audit)
    features = joined_features(catalog, complete)
    write_features(output, features, parsed, digest, interpolated, made_of)


@dataclass(frozen=True)
class _Subject:
    """The clips of one subject, and where their features are kept."""

    faces: Path
    clips: list[str]
    apexes: dict[str, int]
    part: Path
    faces_sha256: str

    @classmethod
    def of(cls, faces: Path, apexes: Mapping[str, int], parts: FeatureParts) -> "_Subject":
        clips = read_face_index(faces)[0].tolist()
        own = {clip: apexes[clip] for clip in clips if clip in apexes}
        digest = sha256(faces)
        part = parts.path(faces, repr(sorted(own.items())), digest)
        return cls(faces, clips, own, part, digest)

    def read(self, n_frames: int) -> Iterator[FaceClip]:
        """Yield the clips, each to be interpolated to so many frames."""
        return iterate_face_clips(self.faces, self.apexes, n_frames)

    def keep(self, described: Iterable[tuple[Row, Names]], parts: FeatureParts) -> None:
        """Keep the features of the clips, if there are some."""
        rows = list(described)
        if rows:
            values, names = np.stack([row for row, _ in rows]), rows[0][1]
            parts.write(self.part, FeaturePart(values, names, np.array(self.clips)))
