"""Extract the deep features of all clips."""

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from merec_hpc import __version__
from merec_hpc.commands.options import Catalog, Output, Settings, Threads
from merec_hpc.config.base import from_json
from merec_hpc.config.features import FeatureSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone
from merec_hpc.features.extraction import extract
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
    if parsed.network == "lbp_top":
        msg = "features.network: a network expected, found lbp_top: see merec extract-lbp-top"
        raise MerecError(msg)
    digest = sha256(weights)
    parts = FeatureParts(
        output.with_name(output.name + ".parts"), f"{__version__} {settings} {digest}"
    )
    missing = [path for path in clips if parts.read(path) is None]
    if missing:
        backbone = Backbone(parsed.network, parsed.layer, weights, input_px=parsed.input_px)
        log.info("%s on %s, %d threads", parsed, backbone.device, threads)
    log.info("%d of %d subjects are known already", len(clips) - len(missing), len(clips))
    for path in track(missing, "subjects", len(missing)):
        rows = list(extract(iterate_clips(path), backbone, parsed, threads))
        if rows:
            values, names = np.stack([row for row, _ in rows]), rows[0][1]
            parts.write(path, FeaturePart(values, names, read_clip_names(path)))
    complete = [part for part in map(parts.read, clips) if part is not None]
    if not complete:
        msg = "clips expected, found none in any of the files"
        raise MerecError(msg)
    write_features(output, joined_features(catalog, complete), parsed, digest)
