"""Extract the deep features of all clips."""

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from merec_hpc import __version__
from merec_hpc.arrays import Features
from merec_hpc.commands.options import Catalog, Output, Settings, Threads
from merec_hpc.config import FeatureSettings, from_json
from merec_hpc.dataset.catalog import read_catalog
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone
from merec_hpc.features.extraction import extract
from merec_hpc.networks.weights import sha256
from merec_hpc.progress import track
from merec_hpc.store.clips import iterate_clips, read_clip_index
from merec_hpc.store.feature_parts import FeaturePart, FeatureParts
from merec_hpc.store.features import write_features

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    clips: Annotated[list[Path], typer.Option(help="Clips of a subject; repeat it.")],
    weights: Annotated[Path, typer.Option(help="Weights of the backbone.")],
    settings: Settings,
    output: Output,
    threads: Threads = 1,
) -> None:
    """Extract the deep features of all clips, on CUDA where there is one.

    The features of each subject are kept in OUTPUT.parts/ as soon as they are there: a new
    subject, or another start after an end, costs no more than what is missing.
    """
    parsed = from_json(FeatureSettings, settings)
    digest = sha256(weights)
    parts = FeatureParts(
        output.with_name(output.name + ".parts"), f"{__version__} {settings} {digest}"
    )
    missing = [path for path in clips if parts.read(path) is None]
    if missing:
        backbone = Backbone(parsed.network, parsed.layer, weights)
        log.info("%s on %s, %d threads", parsed, backbone.device, threads)
    log.info("%d of %d subjects are known already", len(clips) - len(missing), len(clips))
    for path in track(missing, "subjects", len(missing)):
        rows = list(extract(iterate_clips(path), backbone, parsed, threads))
        if rows:
            values, names = np.stack([row for row, _ in rows]), rows[0][1]
            parts.write(path, FeaturePart(values, names, read_clip_index(path)[0]))
    complete = [part for part in map(parts.read, clips) if part is not None]
    if not complete:
        msg = "clips expected, found none in any of the files"
        raise MerecError(msg)
    extracted = [str(clip) for part in complete for clip in part.clips]
    catalogued = {clip.clip: clip for clip in read_catalog(catalog)}
    # The catalog's order, whatever the order of the files.
    place = {name: position for position, name in enumerate(catalogued)}
    unknown = [name for name in extracted if name not in place]
    if unknown:
        msg = f"{catalog}: clip '{unknown[0]}' expected, found no such row"
        raise MerecError(msg)
    order = sorted(range(len(extracted)), key=lambda row: place[extracted[row]])
    kept = [catalogued[extracted[row]] for row in order]
    class_names = sorted({clip.label for clip in kept})
    features = Features(
        values=np.concatenate([part.values for part in complete])[order],
        labels=np.array([class_names.index(clip.label) for clip in kept], np.int64),
        subjects=np.array([clip.subject for clip in kept]),
        clips=np.array([clip.clip for clip in kept]),
        names=complete[0].names,
        class_names=np.array(class_names),
    )
    write_features(output, features, parsed, digest)
