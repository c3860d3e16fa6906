"""Extract the features of all clips."""

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from merec_hpc import __version__
from merec_hpc.commands.options import Catalog, Output, Settings, Threads
from merec_hpc.config.base import from_json
from merec_hpc.errors import MerecError
from merec_hpc.features.extractors import EXTRACTORS, NETWORK, find_extractor
from merec_hpc.features.joining import joined_features
from merec_hpc.networks.weights import sha256
from merec_hpc.progress import track
from merec_hpc.records import FeaturePart
from merec_hpc.store.clips import iterate_clips, read_clip_names
from merec_hpc.store.feature_parts import FeatureParts
from merec_hpc.store.features import write_features

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    clips: Annotated[list[Path], typer.Option(help="Clips of a subject; repeat it.")],
    settings: Settings,
    output: Output,
    extractor: Annotated[str, typer.Option(help=f"One of {', '.join(EXTRACTORS)}.")] = NETWORK,
    weights: Annotated[Path | None, typer.Option(help="Weights of the network.")] = None,
    threads: Threads = 1,
) -> None:
    """Extract the features of all clips: of a network's layer, on CUDA where there is one.

    The features of each subject are kept in OUTPUT.parts/ as soon as they are there: a new
    subject, or another start after an end, costs no more than what is missing.
    """
    kind = find_extractor(extractor)
    parsed: object = from_json(kind.settings, settings)
    if weights is not None and not kind.has_weights:
        msg = f"--weights: no file expected for extractor {extractor}, found {weights}"
        raise MerecError(msg)
    if weights is not None and not weights.is_file():
        msg = f"{weights}: weights expected, found no such file"
        raise MerecError(msg)
    digest = "" if weights is None else sha256(weights)
    parts = FeatureParts(
        output.with_name(output.name + ".parts"), f"{__version__} {extractor} {settings} {digest}"
    )
    missing = [path for path in clips if parts.read(path) is None]
    log.info("%s, %d threads", parsed, threads)
    log.info("%d of %d subjects are known already", len(clips) - len(missing), len(clips))
    if missing:
        opened = kind.load().open_extractor(parsed, weights)
        for path in track(missing, "subjects", len(missing)):
            rows = list(opened.extract(iterate_clips(path), threads))
            if rows:
                values, names = np.stack([row for row, _ in rows]), rows[0][1]
                parts.write(path, FeaturePart(values, names, read_clip_names(path)))
    complete = [part for part in map(parts.read, clips) if part is not None]
    if not complete:
        msg = "clips expected, found none in any of the files"
        raise MerecError(msg)
    write_features(output, joined_features(catalog, complete), parsed, digest)
