"""Geometric maps between faces."""

import cv2
import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]  # (2, 3), maps (x, y, 1) to (x, y)


def fit_similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> Affine:
    """Return the rotation, uniform scale and shift that take source to target best.

    Least squares over the points, shapes (n, 2), n >= 2 (Umeyama 1991,
    doi:10.1109/34.88573, without reflections).
    """
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    x, y = (source - from_mean).T.astype(np.float64)
    u, v = (target - to_mean).T.astype(np.float64)
    power = (x**2 + y**2).sum()
    cosine, sine = (x * u + y * v).sum() / power, (x * v - y * u).sum() / power
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, to_mean - turn @ from_mean])


def warp_image(image: NDArray[np.uint8], affine: Affine, size_px: int) -> NDArray[np.uint8]:
    """Return the image under the map, read bilinearly, cut to (size_px, size_px, 3).

    Where the map makes the image smaller, the image is first smoothed as much as that asks
    for, so that fine texture does not alias.
    """
    shrink = 1 / float(np.hypot(affine[0, 0], affine[1, 0]))
    if shrink > 1:
        sigma = 0.5 * float(np.sqrt(shrink**2 - 1))
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    warped = cv2.warpAffine(
        image, affine, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)
