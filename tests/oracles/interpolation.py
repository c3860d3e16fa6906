"""The temporal interpolation model as its paper writes it, singular values and all.

Zhou, Zhao, Pietikainen: Towards a practical lipreading system, CVPR 2011,
doi:10.1109/CVPR.2011.5995345, sections 3.1 and 3.2. It needs linearly independent frames.
"""

import numpy as np
from numpy.typing import NDArray


def svd_interpolation(
    pixels: NDArray[np.float64],  # (n_pixels, n), one frame a column
    n_frames: int,
) -> NDArray[np.float64]:
    """Return the frames of the curve at ``n_frames`` even places, (n_pixels, n_frames)."""
    n = pixels.shape[1]
    mean = pixels.mean(axis=1, keepdims=True)
    u, singular, vt = np.linalg.svd(pixels - mean, full_matrices=False)
    u, q = u[:, : n - 1], singular[: n - 1, None] * vt[: n - 1]  # X - mean = U Q

    # The path graph of the frames, and the projections that keep its neighbours together:
    # (Q Q')^-1 (Q L Q') v = lambda v, by rising lambda.
    edges = np.eye(n, k=1) + np.eye(n, k=-1)
    laplacian = np.diag(edges.sum(axis=1)) - edges
    values, vectors = np.linalg.eig(np.linalg.solve(q @ q.T, q @ laplacian @ q.T))
    projections = vectors.real[:, np.argsort(values.real)]  # (n - 1, n - 1), one v a column

    # The embedding is the curve up to a scale: Q' v_k = m_k y_k, read off the first frame.
    curve_of_first = _curve(np.array([1 / n]), n)[:, 0]
    scales = (q.T @ projections)[0] / curve_of_first

    places = np.linspace(1 / n, 1, n_frames) if n_frames > 1 else np.array([(1 / n + 1) / 2])
    embedded = scales[:, None] * _curve(places, n)
    frames: NDArray[np.float64] = u @ np.linalg.solve(projections.T, embedded) + mean
    return frames


def _curve(t: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return y_k(t) = sin(pi k t + pi (n - k) / (2 n)) for k = 1..n-1, one place a column."""
    k = np.arange(1, n)[:, None]
    curve: NDArray[np.float64] = np.sin(np.pi * k * t + np.pi * (n - k) / (2 * n))
    return curve
