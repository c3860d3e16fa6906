"""Optical flow between two registered frames: where the content of each pixel has gone."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.motion import FlowSettings
from merec_hpc.errors import MerecError

Grey = NDArray[np.uint8]  # (h, w)
Flow = NDArray[np.float32]  # (h, w, 2): u to the right and v downwards, in pixels

_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
_LEVELS, _PYRAMID, _ITERATIONS, _POLY_N, _POLY_SIGMA = 5, 0.5, 3, 5, 1.1  # of Farneback


def grey_frame(frame: NDArray[np.uint8]) -> Grey:
    """Return the brightness of an RGB frame, (h, w, 3), as (h, w)."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def open_flow(settings: FlowSettings) -> Callable[[Grey, Grey], Flow]:
    """Return what computes the flow from one grey frame to another, (h, w, 2) in pixels.

    What is at (x, y) in the first frame is at (x + u, y + v) in the second. The function is for
    one thread at a time: each thread opens its own.

    Raises
    ------
    MerecError
        If the method is TV-L1 and OpenCV comes without its contributed modules.

    References
    ----------
    Kroeger et al.: Fast optical flow using dense inverse search, ECCV 2016,
    doi:10.1007/978-3-319-46493-0_29. Farneback: Two-frame motion estimation based on polynomial
    expansion, SCIA 2003, doi:10.1007/3-540-45103-X_50. Zach, Pock, Bischof: A duality based
    approach for realtime TV-L1 optical flow, DAGM 2007, doi:10.1007/978-3-540-74936-3_22.
    """
    check_flow(settings)
    if settings.method == "farneback":

        def farneback(first: Grey, second: Grey) -> Flow:
            flow = cv2.calcOpticalFlowFarneback(
                first,
                second,
                np.zeros((*first.shape, 2), np.float32),
                _PYRAMID,
                _LEVELS,
                settings.window,
                _ITERATIONS,
                _POLY_N,
                _POLY_SIGMA,
                0,
            )
            return np.asarray(flow, np.float32)

        return farneback
    engine = (
        cv2.DISOpticalFlow.create(_PRESETS[settings.preset])
        if settings.method == "dis"
        else cv2.optflow.DualTVL1OpticalFlow_create()  # type: ignore[attr-defined]
    )

    def compute(first: Grey, second: Grey) -> Flow:
        return np.asarray(
            engine.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32
        )

    return compute


def check_flow(settings: FlowSettings, source: str = "") -> None:
    """Raise a ``MerecError`` if the method needs a module that is not there."""
    if settings.method == "tvl1" and not hasattr(cv2, "optflow"):
        msg = (
            f"{source}flow.method tvl1: OpenCV with its contributed modules expected, found one "
            "without: pip install --force-reinstall 'opencv-contrib-python-headless<5' in place of "
            "opencv-python-headless, or write dis or farneback"
        )
        raise MerecError(msg)


def optical_strain(flow: Flow) -> NDArray[np.float32]:
    """Return the magnitude of the strain of a flow, (h, w): 0 where a face moves as a whole.

    The root of e_xx^2 + e_yy^2 + 2 e_xy^2 of e = (grad f + grad f') / 2, by central differences.

    References
    ----------
    Shreve et al.: Towards macro- and micro-expression spotting in video using strain patterns,
    WACV 2009, doi:10.1109/WACV.2009.5403044.
    """
    u_y, u_x = np.gradient(flow[..., 0].astype(np.float64))
    v_y, v_x = np.gradient(flow[..., 1].astype(np.float64))
    shear = (u_y + v_x) / 2
    return np.sqrt(u_x**2 + v_y**2 + 2 * shear**2).astype(np.float32)
