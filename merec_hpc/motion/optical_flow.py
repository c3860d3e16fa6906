"""Optical flow between two registered frames: where the content of each pixel has gone."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.config.motion import FlowSettings
from merec_hpc.errors import MerecError

Grey = NDArray[np.uint8]  # (h, w)
Flow = NDArray[np.float32]  # (h, w, 2): u to the right and v downwards, in pixels
Strain = NDArray[np.float32]  # (h, w), pixels per pixel
Valid = NDArray[np.bool_]  # (h, w), pixels that the camera filmed
FlowFunction = Callable[[Grey, Grey], Flow]

_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    "fine": cv2.DISOPTICAL_FLOW_PRESET_FAST,  # and what _open_dis changes
}
# Of fine: the weight of smoothness in the variational refinement, and the standard deviation,
# in pixels, of the Gaussian that takes out what is left of the patches.
_FINE_SMOOTHNESS, _FINE_SIGMA = 30.0, 2.0
_LEVELS, _PYRAMID, _ITERATIONS, _POLY_N, _POLY_SIGMA = 5, 0.5, 3, 5, 1.1  # of Farneback


def grey_frame(frame: NDArray[np.uint8]) -> Grey:
    """Return the brightness of an RGB frame, (h, w, 3), as (h, w)."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def open_flow(settings: FlowSettings) -> FlowFunction:
    """Return what computes the flow from one grey frame to another, (h, w, 2) in pixels.

    What is at (x, y) in the first frame is at (x + u, y + v) in the second. The function is for
    one thread at a time: each thread opens its own.

    Of dis, the presets ultrafast, fast and medium are OpenCV's: they stop at a quarter, a
    quarter and a half of the resolution. Fine goes down to single pixels, with a smoother
    refinement, and smooths the result a little. On drawn faces whose motion is known it errs by
    less than 0.05 pixels in the mean, medium by up to 0.12, the other two by up to 0.35.

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
        return _open_farneback(settings.window)
    if settings.method == "dis":
        return _open_dis(settings.preset)
    return _open_tvl1()


def check_flow(settings: FlowSettings, source: str = "") -> None:
    """Raise a ``MerecError`` if the method needs a module that is not there."""
    if settings.method == "tvl1" and not hasattr(cv2, "optflow"):
        msg = (
            f"{source}flow.method tvl1: OpenCV with its contributed modules expected, found one "
            "without: pip install --force-reinstall 'opencv-contrib-python-headless<5' in place of "
            "opencv-python-headless, or write dis or farneback"
        )
        raise MerecError(msg)


def optical_strain(flow: Flow) -> Strain:
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
    return np.asarray(np.sqrt(u_x**2 + v_y**2 + 2 * shear**2), np.float32)


def counted_motion(flow: Flow, is_valid: Valid | None) -> tuple[Flow, Strain]:
    """Return flow and strain, both 0 where the camera has filmed nothing.

    The strain is that of the whole flow: the edge of what was filmed strains nothing.
    """
    strain = optical_strain(flow)
    if is_valid is None:
        return flow, strain
    nothing = np.float32(0)
    return np.where(is_valid[..., None], flow, nothing), np.where(is_valid, strain, nothing)


def _open_dis(preset: str) -> FlowFunction:
    engine = cv2.DISOpticalFlow.create(_PRESETS[preset])
    if preset == "fine":
        engine.setFinestScale(0)
        engine.setVariationalRefinementAlpha(_FINE_SMOOTHNESS)

    def compute(first: Grey, second: Grey) -> Flow:
        flow = engine.calc(first, second, _still(first))
        if preset == "fine":
            flow = cv2.GaussianBlur(flow, (0, 0), _FINE_SIGMA)
        return np.asarray(flow, np.float32)

    return compute


def _open_farneback(window: int) -> FlowFunction:
    def compute(first: Grey, second: Grey) -> Flow:
        flow = cv2.calcOpticalFlowFarneback(
            first,
            second,
            _still(first),
            _PYRAMID,
            _LEVELS,
            window,
            _ITERATIONS,
            _POLY_N,
            _POLY_SIGMA,
            0,
        )
        return np.asarray(flow, np.float32)

    return compute


def _open_tvl1() -> FlowFunction:
    engine = cv2.optflow.DualTVL1OpticalFlow_create()  # type: ignore[attr-defined]

    def compute(first: Grey, second: Grey) -> Flow:
        return np.asarray(engine.calc(first, second, _still(first)), np.float32)

    return compute


def _still(frame: Grey) -> Flow:
    return np.zeros((*frame.shape, 2), np.float32)
