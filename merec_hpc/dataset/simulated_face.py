"""Draws the faces of the embedded dataset: identities and moving expressions.

A frame is the photograph seen through three smooth maps: the identity's, the expression's
and the head's. The landmarks of a frame are the photograph's, taken through their inverses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from skimage.data import astronaut

from merec_hpc.dataset.action_units import Expressions, landmark_moves, units_of

Image = NDArray[np.float32]  # (HEIGHT, WIDTH, 3), RGB, 0..255
Field = NDArray[np.float32]  # (HEIGHT, WIDTH, 2), displacement in pixels, (x, y)
Points = NDArray[np.float64]  # (68, 2), pixels, (x, y)

WIDTH, HEIGHT = 640, 480
_ZOOM = 2.0  # pixels of a frame per pixel of the photograph
_PHOTO_CENTRE = np.array([225.0, 122.0])  # comes to lie in the middle of the frame

# Spread of identities: what makes two subjects differ.
_GEOMETRY_PX, _GEOMETRY_SCALE_PX = 3.0, 70.0
_ASPECT = 0.05
_ALBEDO, _COLOUR, _ALBEDO_SCALE_PX = 0.05, 0.01, 50.0
_SKIN_TONE = 0.07
_LIGHT_GRADIENT = 0.15
# What a camera and a living head add to every clip.
_HEAD_SHIFT_PX, _HEAD_ROTATION, _HEAD_SCALING = 0.08, 0.0003, 0.0003
_LIGHT_DRIFT = 0.0015
_NOISE = 0.7
# Reach of a landmark's motion, and how fast it fades where there is no landmark.
_REACH_PX, _FADING = 24.0, 0.5


@dataclass(frozen=True)
class SimulatedSubject:
    """An identity: the neutral face, its landmarks, and how strongly it expresses."""

    neutral: Image
    landmarks: Points
    strengths: Mapping[int, float]  # of each action unit


@dataclass(frozen=True)
class Motion:
    """What happens in a clip."""

    units: tuple[int, ...]
    moves: Points  # of each landmark, at full strength
    peak_px: float  # largest displacement of a pixel at the apex
    drift: NDArray[np.float64]  # (6, n_frames), of head and light
    profile: NDArray[np.float64]  # (n_frames,), strength: 0 at the onset, 1 at the apex

    @property
    def apex(self) -> int:
        """The frame of the apex, from 0."""
        return int(self.profile.argmax())


def make_subject(rng: np.random.Generator, expressions: Expressions) -> SimulatedSubject:
    """Draw an identity: geometry, albedo, tone and light of the photographed face."""
    aspect = 1 + rng.uniform(-_ASPECT, _ASPECT, 2)
    geometry = _smooth_field(rng, 2, _GEOMETRY_SCALE_PX) * np.float32(_GEOMETRY_PX)
    grid = _grid()
    middle = np.array([WIDTH / 2, HEIGHT / 2], np.float32)
    source = ((grid - middle) * aspect.astype(np.float32) + middle) - geometry
    photo = _photograph()
    neutral = _read(photo, _to_photo(source))
    shade = _ALBEDO * _smooth_field(rng, 1, _ALBEDO_SCALE_PX)
    albedo = np.exp(shade + _COLOUR * _smooth_field(rng, 3, _ALBEDO_SCALE_PX))
    tone = np.exp(_SKIN_TONE * rng.normal(size=3) * [0.7, 0.8, 1.0]).astype(np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    slope = rng.uniform(-_LIGHT_GRADIENT, _LIGHT_GRADIENT)
    across = (grid - middle) @ np.array([np.cos(direction), np.sin(direction)], np.float32)
    light = (1 + slope * across / (HEIGHT / 2))[..., None]
    landmarks = _photo_landmarks()

    def forward(points: Points) -> Points:
        """Return where the identity's warp takes from, at ``points`` of the frame."""
        return (points - middle) * aspect + middle - _sample(geometry, points)

    return SimulatedSubject(
        neutral=np.clip(neutral * albedo * tone * light, 0, 255).astype(np.float32),
        landmarks=_solve(forward, landmarks),
        strengths={unit: float(rng.uniform(0.6, 1.4)) for unit in units_of(expressions)},
    )


def draw_motion(
    subject: SimulatedSubject,
    sets_of_units: Sequence[tuple[int, ...]],
    n_frames: int,
    peak_displacement_px: tuple[float, float],
    rng: np.random.Generator,
) -> Motion:
    """Draw what happens in a clip of a class that is shown by one of some sets of units."""
    chosen = int(rng.integers(len(sets_of_units))) if len(sets_of_units) > 1 else 0
    units = sets_of_units[chosen]
    peak_px = float(rng.uniform(*peak_displacement_px))
    moves = _moves(rng, subject, units)
    time = np.linspace(0, 1, n_frames)
    drift = _smooth_curves(rng, 6, time)
    return Motion(units, moves, peak_px, drift, _profile(rng, time))


def make_frames(
    subject: SimulatedSubject, motion: Motion, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.uint8], Points]]:
    """Yield the frames of a clip, with noise of their own, and their exact landmarks."""
    moves, drift = motion.moves, motion.drift
    field = _displacement(subject.landmarks, moves)
    scale = motion.peak_px / float(np.sqrt((field**2).sum(axis=2)).max())
    grid = _grid()
    across = (grid[..., 0] - WIDTH / 2) / WIDTH
    for frame, rise in enumerate(motion.profile):
        shift_x, shift_y, angle, growth, light, tilt = drift[:, frame]
        pose = _pose(shift_x, shift_y, angle, growth)
        amplitude = rise * scale
        # A pixel u of the frame shows what the neutral face shows at pose^-1(u - a E(u)).
        source = _apply(_inverse(pose), grid - np.float32(amplitude) * field)
        image = _read(subject.neutral, source)
        image *= (1 + _LIGHT_DRIFT * (light + tilt * across))[..., None]
        image += rng.normal(0, _NOISE, image.shape).astype(np.float32)
        posed = _apply(pose, subject.landmarks)

        def backward(points: Points, amplitude: float = amplitude) -> Points:
            return points - amplitude * _displacement_at(points, subject.landmarks, moves)

        yield np.clip(np.rint(image), 0, 255).astype(np.uint8), _solve(backward, posed)


def _read(image: Image, places: NDArray[np.floating]) -> Image:
    """Return the image at places, shape (HEIGHT, WIDTH, 2), between pixels by cubics."""
    x, y = np.moveaxis(places.astype(np.float32), 2, 0)
    read = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(read, np.float32)


def _moves(rng: np.random.Generator, subject: SimulatedSubject, units: Sequence[int]) -> Points:
    """Return how far each landmark wants to move: units in strengths of their own."""
    moves = np.zeros((68, 2))
    for unit in units:
        strength = subject.strengths[unit] * rng.uniform(0.5, 1.5)
        left, right = strength * rng.uniform(0.8, 1.2, 2)
        moves += landmark_moves(unit, left, right)
    return moves


def _displacement(landmarks: Points, moves: Points) -> Field:
    """Return the displacement at every pixel of the frame."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=1)
    parts = np.array_split(pixels, 64)  # keeps the (pixels, 68) kernels small
    values = [_displacement_at(part, landmarks, moves) for part in parts]
    return np.concatenate(values).reshape(HEIGHT, WIDTH, 2).astype(np.float32)


def _displacement_at(points: NDArray[np.number], landmarks: Points, moves: Points) -> Points:
    """Return the smooth displacement at points: a kernel mean of the landmarks' moves."""
    squares = ((points[:, None, :] - landmarks[None, :, :]) ** 2).sum(axis=2)
    kernel = np.exp(-squares / (2 * _REACH_PX**2))  # (n_points, 68)
    mean: Points = kernel @ moves / np.maximum(kernel.sum(axis=1, keepdims=True), _FADING)
    return mean


def _profile(rng: np.random.Generator, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the strength of the expression in each frame: 0 at the onset, 1 at the apex."""
    apex = time[np.argmin(np.abs(time - rng.uniform(0.35, 0.65)))]
    left_over = rng.uniform(0.0, 0.4)  # at the offset
    rise = np.sin(np.pi / 2 * np.clip(time / apex, 0, 1)) ** 2
    fall = np.sin(np.pi / 2 * np.clip((time - apex) / (1 - apex), 0, 1)) ** 2
    profile: NDArray[np.float64] = rise * (1 - (1 - left_over) * fall)
    return profile


def _pose(shift_x: float, shift_y: float, angle: float, growth: float) -> NDArray[np.float64]:
    """Return the head's similarity about the middle of the frame, shape (2, 3)."""
    scale = 1 + _HEAD_SCALING * growth
    turn = _HEAD_ROTATION * angle
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    shift = _HEAD_SHIFT_PX * np.array([shift_x, shift_y])
    return np.column_stack([linear, middle - linear @ middle + shift])


def _inverse(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine map, shape (2, 3), that undoes another."""
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])


def _solve(backward: Callable[[Points], Points], targets: Points) -> Points:
    """Return the points that ``backward`` takes to ``targets``, to 1e-9 pixels.

    The fields are smooth, so that ``backward`` is nearly the identity and p += target -
    backward(p) is a contraction.
    """
    points = targets.copy()
    for _ in range(200):
        rest = targets - backward(points)
        points = points + rest
        if np.abs(rest).max() < 1e-9:
            break
    return points


def _apply(affine: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Map points, shape (..., 2), by an affine matrix, shape (2, 3)."""
    mapped: NDArray[np.float64] = points @ affine[:, :2].T + affine[:, 2]
    return mapped


def _smooth_field(rng: np.random.Generator, n_channels: int, scale_px: float) -> Image:
    """Return a smooth random field of unit variance, shape (HEIGHT, WIDTH, n_channels)."""
    coarse = rng.normal(size=(_cells(HEIGHT, scale_px), _cells(WIDTH, scale_px), n_channels))
    field = cv2.resize(coarse.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field.reshape(HEIGHT, WIDTH, n_channels) / field.std(), np.float32)


def _cells(length_px: int, scale_px: float) -> int:
    return round(length_px / scale_px) + 1


def _smooth_curves(
    rng: np.random.Generator, n_curves: int, time: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return slow random curves that begin at 0, shape (n_curves, n_frames)."""
    weights = rng.normal(size=(n_curves, 3)) / np.array([1.0, 2.0, 3.0])
    phases = rng.uniform(0, 2 * np.pi, (n_curves, 3))
    angles = np.pi * np.array([0.5, 1.0, 1.5])[None, :, None] * time + phases[..., None]
    curves: NDArray[np.float64] = (weights[..., None] * np.sin(angles)).sum(axis=1)
    return curves - curves[:, :1]


def _sample(field: Field, points: Points) -> Points:
    """Return a field's value at points, bilinear."""
    places = points[:, ::-1].T  # (row, column)
    values = [map_coordinates(field[..., axis], places, float, order=1) for axis in range(2)]
    return np.stack(values, axis=1)


@cache
def _grid() -> Field:
    """Return the coordinates of every pixel, (x, y)."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.asarray(np.stack([columns, rows], axis=2), np.float32)


@cache
def _photograph() -> Image:
    """Return the photograph, shape (512, 512, 3)."""
    return np.asarray(astronaut(), np.float32)


def _to_photo(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map points of a frame to the photograph."""
    middle = np.array([WIDTH / 2, HEIGHT / 2], np.float32)
    return np.asarray((points - middle) / np.float32(_ZOOM) + _PHOTO_CENTRE, np.float32)


@cache
def _photo_landmarks() -> Points:
    """Return the 68 landmarks of the photograph, in pixels of a frame."""
    text = files("merec_hpc.dataset").joinpath("astronaut_landmarks.csv").read_text()
    points = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)
    return np.asarray((points - _PHOTO_CENTRE) * _ZOOM + [WIDTH / 2, HEIGHT / 2], np.float64)
