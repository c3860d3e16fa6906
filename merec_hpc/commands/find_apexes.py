"""Find the apex of every clip."""

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from merec_hpc.commands.options import Catalog, Faces, Output, Settings, Threads
from merec_hpc.config.base import from_json
from merec_hpc.config.motion import ApexSettings
from merec_hpc.dataset.catalog import read_catalog, write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.errors import MerecError
from merec_hpc.motion.apexes import with_apex
from merec_hpc.progress import track
from merec_hpc.store.faces import iterate_faces, read_face_landmarks, read_frame_numbers

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    faces: Faces,
    settings: Settings,
    output: Output,
    threads: Threads = 1,
) -> None:
    """Write the catalog again, of the clips that have faces, each with its apex.

    The column apex_source says where it is from: the sheet, the second of a pair, a single
    frame, or the method by which it was found.
    """
    cv2.setNumThreads(1)
    method = from_json(ApexSettings, settings).method
    listed = {clip.clip: clip for clip in read_catalog(catalog)}

    def of_subject(path: Path) -> list[Clip]:
        numbers = read_frame_numbers(path)
        unknown = [name for name in numbers if name not in listed]
        if unknown:
            msg = f"{catalog}: clip '{unknown[0]}' of {path} expected, found no such row"
            raise MerecError(msg)
        stored = zip(iterate_faces(path), read_face_landmarks(path), numbers.items(), strict=True)
        return [
            with_apex(listed[name], frames, landmarks, own, method)
            for frames, landmarks, (name, own) in stored
        ]

    with ThreadPoolExecutor(threads) as pool:
        found = list(track(pool.map(of_subject, faces), "apexes of subjects", len(faces)))
    known = {clip.clip: clip for clips in found for clip in clips}
    complete = [known[name] for name in listed if name in known]
    write_catalog(output, complete)
    counts = Counter(str(clip.apex_source) for clip in complete)
    log.info("apexes: %s", ", ".join(f"{count} {source}" for source, count in counts.items()))
