"""Describes a clip by the optical flow from its onset to its apex."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.motion import FlowSettings
from merec_hpc.features.described import described_clips
from merec_hpc.motion.descriptors import describe_flow, flow_names
from merec_hpc.motion.optical_flow import Flow, Grey, check_flow, grey_frame, open_flow


@dataclass(frozen=True)
class OnsetAndApex:
    """What the flow of a clip is computed from."""

    onset: Grey
    apex: Grey
    was_filmed: NDArray[np.bool_]  # (size, size): elsewhere the warp repeats the image's border
    landmarks: NDArray[np.float32]  # (68, 2), of the onset, pixels of the registered face


def onset_and_apex(clip: FaceClip) -> OnsetAndApex:
    """Return onset and apex of a clip as filmed, on the reference face.

    Raises
    ------
    MerecError
        If the clip has a single frame.
    """
    clip.check_moves("flow")
    return OnsetAndApex(
        grey_frame(clip.frames[0]),
        grey_frame(clip.frames[clip.apex]),
        clip.was_filmed(0, clip.apex),
        clip.landmarks[0],
    )


@dataclass(frozen=True)
class FlowExtractor:
    """Descriptors of the flow from onset to apex."""

    settings: FlowSettings
    _own: threading.local = field(default_factory=threading.local)

    def extract(
        self, clips: Iterable[FaceClip], n_threads: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.str_]]]:
        """Yield the features of each clip, and their names."""
        names = flow_names(self.settings)
        for row in described_clips(clips, onset_and_apex, self._describe, n_threads):
            yield row, names

    def _describe(self, seen: OnsetAndApex) -> NDArray[np.float32]:
        flow = self._compute(seen.onset, seen.apex)
        return describe_flow(flow, seen.was_filmed, seen.landmarks, self.settings)

    @property
    def _compute(self) -> Callable[[Grey, Grey], Flow]:
        """What computes flow in this thread: OpenCV's engines are for one thread at a time."""
        if not hasattr(self._own, "compute"):
            self._own.compute = open_flow(self.settings)
        found: Callable[[Grey, Grey], Flow] = self._own.compute
        return found


def open_extractor(settings: FlowSettings, weights: Path | None) -> FlowExtractor:  # noqa: ARG001  # there are none
    """Return the extractor of these settings.

    Raises
    ------
    MerecError
        If OpenCV lacks the method.
    """
    check_flow(settings)
    return FlowExtractor(settings)


def count_features(settings: FlowSettings) -> int:
    """Return how many features of a clip there will be."""
    return len(flow_names(settings))
