"""Extract the deep features of all clips."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

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
    """Extract the deep features of all clips, on CUDA where there is one."""
    parsed = from_json(FeatureSettings, settings)
    backbone = Backbone(parsed.network, parsed.layer, weights)
    log.info("%s on %s, %d threads", parsed, backbone.device, threads)
    names = [str(name) for path in clips for name in read_clip_index(path)[0]]
    rows: list[NDArray[np.float32]] = []
    feature_names: NDArray[np.str_] | None = None
    extracted = extract(_all_clips(clips), backbone, parsed, threads)
    for values, found_names in track(extracted, "clips", len(names)):
        rows.append(values)
        feature_names = found_names
    if feature_names is None:
        msg = "clips expected, found none in any of the files"
        raise MerecError(msg)
    catalogued = {clip.clip: clip for clip in read_catalog(catalog)}
    # The catalog's order, whatever the order of the files.
    place = {name: position for position, name in enumerate(catalogued)}
    unknown = [name for name in names if name not in place]
    if unknown:
        msg = f"{catalog}: clip '{unknown[0]}' expected, found no such row"
        raise MerecError(msg)
    order = sorted(range(len(names)), key=lambda row: place[names[row]])
    kept = [catalogued[names[row]] for row in order]
    class_names = sorted({clip.label for clip in kept})
    features = Features(
        values=np.stack([rows[row] for row in order]),
        labels=np.array([class_names.index(clip.label) for clip in kept], np.int64),
        subjects=np.array([clip.subject for clip in kept]),
        clips=np.array([clip.clip for clip in kept]),
        names=feature_names,
        class_names=np.array(class_names),
    )
    write_features(output, features, parsed, sha256(weights))


def _all_clips(paths: list[Path]) -> Iterator[NDArray[np.float32]]:
    for path in paths:
        yield from iterate_clips(path)
