"""Turns the flow from the onset to the apex into the image that a network reads."""

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.motion.optical_flow import Flow, Valid, counted_motion


def flow_images(flow: Flow, is_valid: Valid | None, size_px: int) -> NDArray[np.float32]:
    """Return u, v and strain as three channels, (size_px, size_px, 3).

    u and v stay in pixels of the registered face, whatever the size. A smaller image has the
    means over areas, a larger one is interpolated linearly.

    Parameters
    ----------
    flow
        (h, w, 2), in pixels.
    is_valid
        (h, w), pixels that the camera filmed. Elsewhere all three are 0.

    References
    ----------
    Liong et al.: Shallow triple stream three-dimensional CNN (STSTNet) for micro-expression
    recognition, FG 2019, doi:10.1109/FG.2019.8756567.
    """
    counted, strain = counted_motion(flow, is_valid)
    channels = np.dstack([counted, strain])
    kind = cv2.INTER_AREA if size_px <= min(strain.shape) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(channels, (size_px, size_px), interpolation=kind), np.float32)
