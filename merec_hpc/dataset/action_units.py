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
    7: {40: (0.0, -0.6), 41: (0.0, -0.6), 37: (0.0, 0.3), 38: (0.0, 0.3)},
    9: {31: (0.1, -0.8), 32: (0.0, -0.7), 39: (-0.1, 0.2), 21: (-0.2, 0.4), 50: (0.0, -0.4)},
    10: {50: (0.0, -1.0), 49: (0.1, -0.6), 61: (0.0, -0.8), 31: (0.2, -0.3)},
    12: {48: (0.7, -0.8), 60: (0.6, -0.7), 49: (0.4, -0.4), 59: (0.4, -0.4)},
    14: {48: (0.8, 0.0), 60: (0.7, 0.0), 49: (0.3, 0.1), 59: (0.3, -0.1)},
    15: {48: (0.2, 1.0), 60: (0.2, 0.9), 49: (0.0, 0.3), 59: (0.1, 0.6)},
    17: {7: (0.0, -0.7), 6: (0.0, -0.4), 58: (0.0, -0.7), 59: (0.0, -0.4), 67: (0.0, -0.6)},
    20: {48: (1.0, 0.2), 60: (0.9, 0.2), 49: (0.4, 0.0), 59: (0.5, 0.3), 4: (0.2, 0.0)},
    26: {5: (0.0, 0.4), 6: (0.0, 0.8), 7: (0.0, 1.0), 59: (0.0, 0.6), 58: (0.0, 0.9)}
    | {67: (0.0, 0.8)},
}
# Landmarks on the middle line, which have no mirror image.
_MIDDLE_MOVES: Mapping[int, Mapping[int, tuple[float, float]]] = {
    9: {33: (0.0, -0.5), 30: (0.0, -0.3)},
    10: {51: (0.0, -0.9), 62: (0.0, -0.8)},
    17: {8: (0.0, -1.0), 57: (0.0, -0.9), 66: (0.0, -0.7)},
    26: {8: (0.0, 1.0), 57: (0.0, 1.0), 66: (0.0, 0.9)},
}
# Each landmark of the left half of the image and its mirror image.
_MIRROR: Mapping[int, int] = {
    **{jaw: 16 - jaw for jaw in range(8)},
    **{brow: 43 - brow for brow in range(17, 22)},
    31: 35,
    32: 34,
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

Expressions = Mapping[str, tuple[tuple[int, ...], ...]]
"""Of each class the action units; where there are several sets, a clip shows one of them."""

SMIC_EXPRESSIONS: Expressions = {
    "negative": ((4, 15),),
    "positive": ((6, 12),),
    "surprise": ((1, 2, 26),),
}
CASME2_EXPRESSIONS: Expressions = {
    "happiness": ((6, 12),),
    "disgust": ((9, 10),),
    "surprise": ((1, 2, 26),),
    "repression": ((14, 17),),
    "others": ((4,), (7,), (14,), (20,)),
}


def units_of(expressions: Expressions) -> list[int]:
    """Return the action units of all classes, each once, in the order in which they are named."""
    return list(
        dict.fromkeys(unit for sets in expressions.values() for units in sets for unit in units)
    )


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
