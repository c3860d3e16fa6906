"""Says how each facial action unit moves the 68 landmarks.

Ekman, Friesen, Hager: Facial Action Coding System, 2002. The sizes are relative: a clip
scales the sum of its units to its peak displacement.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Landmark -> (outward, down), for the left half of the image; the right half mirrors it.
# "Outward" is away from the middle of the face.
_MOVES: Mapping[int, Mapping[int, tuple[float, float]]] = {
    1: {21: (0.0, -1.0), 20: (0.0, -0.9), 19: (0.0, -0.4)},
    2: {17: (0.0, -0.8), 18: (0.0, -1.0), 19: (0.0, -0.7)},
    4: {21: (-0.4, 0.9), 20: (-0.3, 0.8), 19: (-0.1, 0.5), 18: (0.0, 0.2)},
    6: {40: (0.0, -0.7), 41: (0.0, -0.8), 36: (-0.1, 0.1), 2: (0.0, -0.3)},
    12: {48: (0.7, -0.8), 60: (0.6, -0.7), 49: (0.4, -0.4), 59: (0.4, -0.4)},
    15: {48: (0.2, 1.0), 60: (0.2, 0.9), 49: (0.0, 0.3), 59: (0.1, 0.6)},
    26: {5: (0.0, 0.4), 6: (0.0, 0.8), 7: (0.0, 1.0), 59: (0.0, 0.6), 58: (0.0, 0.9)}
    | {67: (0.0, 0.8)},
}
# Landmarks on the middle line, which have no mirror image.
_MIDDLE_MOVES: Mapping[int, Mapping[int, tuple[float, float]]] = {
    26: {8: (0.0, 1.0), 57: (0.0, 1.0), 66: (0.0, 0.9)},
}
# Each landmark of the left half of the image and its mirror image.
_MIRROR: Mapping[int, int] = {
    **{jaw: 16 - jaw for jaw in range(8)},
    **{brow: 43 - brow for brow in range(17, 22)},
    36: 45,
    37: 44,
    38: 43,
    39: 42,
    40: 47,
    41: 46,
    48: 54,
    49: 53,
    50: 52,
    58: 56,
    59: 55,
    60: 64,
    61: 63,
    67: 65,
}

EXPRESSIONS: Mapping[str, tuple[int, ...]] = {
    "negative": (4, 15),
    "positive": (6, 12),
    "surprise": (1, 2, 26),
}
"""The action units of each class of SMIC."""


def landmark_moves(unit: int, left: float = 1.0, right: float = 1.0) -> NDArray[np.float64]:
    """Return how far an action unit moves each landmark, shape (68, 2), (x, y).

    Parameters
    ----------
    unit
        Number of the unit in the Facial Action Coding System.
    left, right
        Strength in the left and the right half of the image.
    """
    moves = np.zeros((68, 2))
    for landmark, (outward, down) in _MOVES[unit].items():
        moves[landmark] = left * np.array([-outward, down])
        moves[_MIRROR[landmark]] = right * np.array([outward, down])
    for landmark, move in _MIDDLE_MOVES.get(unit, {}).items():
        moves[landmark] = (left + right) / 2 * np.array(move)
    return moves
