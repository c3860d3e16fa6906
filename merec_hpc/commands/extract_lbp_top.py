"""Extract LBP-TOP features of all clips."""

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from merec_hpc.commands.options import Catalog, Output, Settings, Threads
from merec_hpc.config.base import from_json
from merec_hpc.config.features import LbpTopSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.joining import joined_features
from merec_hpc.features.lbp_top import lbp_top, lbp_top_names
from merec_hpc.progress import track
from merec_hpc.records import FeaturePart
from merec_hpc.store.clips import iterate_clips, read_clip_names
from merec_hpc.store.features import write_features

log = logging.getLogger(__name__)


def run(
    catalog: Catalog,
    clips: Annotated[list[Path], typer.Option(help="Clips of a subject; repeat it.")],
    settings: Settings,
    output: Output,
    threads: Threads = 1,
) -> None:
    """Extract local binary patterns on three orthogonal planes: features without a network."""
    parsed = from_json(LbpTopSettings, settings)
    log.info("%s, %d threads", parsed, threads)
    parts = []
    with ThreadPoolExecutor(threads) as pool:
        for path in track(clips, "subjects", len(clips)):
            rows = list(pool.map(partial(lbp_top, settings=parsed), iterate_clips(path)))
            if rows:
                names = lbp_top_names(parsed)
                parts.append(FeaturePart(np.stack(rows), names, read_clip_names(path)))
    if not parts:
        msg = "clips expected, found none in any of the files"
        raise MerecError(msg)
    write_features(output, joined_features(catalog, parts), parsed, weights_sha256="")
