"""Geometric maps between faces."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

Places = NDArray[np.float32]  # (size, size, 2), where each pixel is read, (x, y)
Affine = NDArray[np.float64]  # (2, 3), maps (x, y, 1) to (x, y)


_N_NEAREST = 12
_LEAST_SIGMA = 0.25  # pixels; a narrower Gaussian changes no 8-bit value
# Sum of weights from which on the local means count in full; below, the similarity fades in.
_FULL_WEIGHT = 0.5


def fit_similarity(
    source: NDArray[np.floating],
    target: NDArray[np.floating],
    weights: NDArray[np.floating] | None = None,
) -> Affine:
    """Return the rotation, uniform scale and shift that take source to target best.

    Least squares over the points, shapes (n, 2), n >= 2, weights (n,) (Umeyama 1991,
    doi:10.1109/34.88573, without reflections).
    """
    from_mean = np.average(source, axis=0, weights=weights)
    to_mean = np.average(target, axis=0, weights=weights)
    x, y = (source - from_mean).T.astype(np.float64)
    u, v = (target - to_mean).T.astype(np.float64)
    share = 1.0 if weights is None else weights
    power = (share * (x**2 + y**2)).sum()
    cosine = (share * (x * u + y * v)).sum() / power
    sine = (share * (x * v - y * u)).sum() / power
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, to_mean - turn @ from_mean])


def invert(affine: Affine) -> Affine:
    """Return the map that undoes another."""
    return np.asarray(cv2.invertAffineTransform(affine), np.float64)


def warp_image(image: NDArray[np.uint8], affine: Affine, size_px: int) -> NDArray[np.uint8]:
    """Return the image under the map, read bilinearly, cut to (size_px, size_px, 3).

    Where the map makes the image smaller, the image is first smoothed as much as that asks
    for, so that fine texture does not alias.
    """
    shrink = shrinking(affine)
    region, (left, top) = _region(image, affine, size_px)
    shifted = affine.copy()
    shifted[:, 2] += affine[:, :2] @ [left, top]
    warped = cv2.warpAffine(
        _smoothed(region, shrink),
        shifted,
        (size_px, size_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, np.uint8)


def similarity_places(affine: Affine, size_px: int) -> Places:
    """Return where each pixel of the registered face is read, under the inverse of a similarity."""
    inverse = invert(affine)
    places = _pixels(size_px) @ inverse[:, :2].T + inverse[:, 2]
    return np.asarray(places, np.float32)


def local_weighted_mean_places(
    landmarks: NDArray[np.floating], reference: NDArray[np.floating], size_px: int
) -> Places:
    """Return where each pixel of the registered face is read, by local weighted means.

    Around each point of the reference a quadratic takes its 12 nearest points to the
    landmarks; a pixel takes the weighted mean of the quadratics whose neighbourhood holds it,
    with weights 1 - 3 R^2 + 2 R^3 of the distance R relative to the neighbourhood's. Outside of
    all neighbourhoods the similarity of all points takes over, smoothly.

    Parameters
    ----------
    landmarks
        Points of the frame, (n, 2).
    reference
        Where they should come to lie, (n, 2), in pixels of the registered face.

    References
    ----------
    Goshtasby: Image registration by local approximation methods, Image and Vision Computing
    1988, doi:10.1016/0262-8856(88)90016-9.
    """
    base = similarity_places(fit_similarity(landmarks, reference), size_px)
    at_points = _similarity_at(landmarks, reference, reference)
    rest = landmarks - at_points  # what the similarity leaves, (n, 2)
    pixels = _pixels(size_px).reshape(-1, 2)
    total, summed = np.zeros(len(pixels)), np.zeros((len(pixels), 2))
    for centre in reference:
        distances = np.linalg.norm(reference - centre, axis=1)
        nearest = np.argsort(distances, kind="stable")[:_N_NEAREST]
        radius = float(distances[nearest[-1]])
        # Coefficients of the smallest norm: points nearly in a line bend the plane no further.
        bases = _quadratic((reference[nearest] - centre) / radius)
        coefficients = np.linalg.lstsq(bases, rest[nearest], rcond=1e-3)[0]
        relative = np.linalg.norm(pixels - centre, axis=1) / radius
        inside = np.flatnonzero(relative < 1)
        weights = 1 - 3 * relative[inside] ** 2 + 2 * relative[inside] ** 3
        values = _quadratic((pixels[inside] - centre) / radius) @ coefficients
        total[inside] += weights
        summed[inside] += weights[:, None] * values
    bent = summed / np.maximum(total, _FULL_WEIGHT)[:, None]
    return np.asarray(base + bent.reshape(size_px, size_px, 2), np.float32)


def piecewise_affine_places(
    landmarks: NDArray[np.floating], reference: NDArray[np.floating], size_px: int
) -> Places:
    """Return where each pixel of the registered face is read, affinely in each triangle.

    Triangles are those of Delaunay between the points of the reference and, around them,
    the border of the registered face, where the similarity of all points holds.
    """
    base = similarity_places(fit_similarity(landmarks, reference), size_px)
    rest = landmarks - _similarity_at(landmarks, reference, reference)
    low, high = -float(size_px), 2.0 * size_px
    border = np.array([[x, y] for x in (low, size_px / 2, high) for y in (low, size_px / 2, high)])
    outer = border[np.abs(border - size_px / 2).max(axis=1) > 0]
    points = np.concatenate([reference, outer])
    bent = LinearNDInterpolator(points, np.concatenate([rest, np.zeros((len(outer), 2))]))
    return np.asarray(base + bent(_pixels(size_px)), np.float32)


def warp_by_places(image: NDArray[np.uint8], places: Places, shrink: float) -> NDArray[np.uint8]:
    """Return the image read at places, bilinearly, smoothed for a shrinking map as ``warp_image``."""
    smoothed = _smoothed(image, shrink)
    warped = cv2.remap(
        smoothed, places, np.empty(0), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)


def shrinking(affine: Affine) -> float:
    """Return how many pixels of the image a similarity makes one of, along a line."""
    return 1 / float(np.hypot(affine[0, 0], affine[1, 0]))


def filmed_pixels(affine: Affine, filmed: tuple[int, int], size_px: int) -> NDArray[np.bool_]:
    """Return which pixels of a registered face were filmed, (size, size).

    Outside of the image the warp repeats its border, which is no face.

    Parameters
    ----------
    affine
        The similarity that took the frame to the registered face.
    filmed
        Height and width of the frame.
    """
    places = similarity_places(affine, size_px)
    last = np.array([filmed[1], filmed[0]]) - 1
    return np.asarray(((places >= 0) & (places <= last)).all(axis=2), np.bool_)


def _region(
    image: NDArray[np.uint8], affine: Affine, size_px: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return the part of the image that is read, with its left and top: less to smooth."""
    corners = np.array([[0, 0], [size_px, 0], [0, size_px], [size_px, size_px]], np.float64)
    back = invert(affine)
    places = corners @ back[:, :2].T + back[:, 2]
    margin = 4 + int(4 * shrinking(affine))  # what smoothing and interpolation reach
    low = np.maximum(np.floor(places.min(axis=0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(places.max(axis=0)).astype(int) + margin, image.shape[1::-1])
    if (high - low < 2).any():  # hardly any of the image is read
        return image, (0, 0)
    return image[low[1] : high[1], low[0] : high[0]], (int(low[0]), int(low[1]))


def _smoothed(image: NDArray[np.uint8], shrink: float) -> NDArray[np.uint8]:
    sigma = 0.5 * float(np.sqrt(max(shrink**2 - 1, 0)))
    if sigma < _LEAST_SIGMA:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _similarity_at(
    landmarks: NDArray[np.floating], reference: NDArray[np.floating], points: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return where the similarity of all points reads at points of the reference."""
    inverse = invert(fit_similarity(landmarks, reference))
    return np.asarray(points @ inverse[:, :2].T + inverse[:, 2], np.float64)


def _quadratic(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the terms of a quadratic in two variables, (n, 6)."""
    x, y = points[:, 0], points[:, 1]
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _pixels(size_px: int) -> NDArray[np.float64]:
    """Return the coordinates of the pixels of a registered face, (size, size, 2), (x, y)."""
    columns, rows = np.meshgrid(np.arange(size_px), np.arange(size_px))
    return np.stack([columns, rows], axis=2).astype(np.float64)
