"""The Active Shape Model: a shape that moves to where the image around its points asks it to.

As in Cootes, Taylor, Cooper, Graham: Active shape models - their training and application,
Computer Vision and Image Understanding 1995, doi:10.1006/cviu.1995.1004, shapes are aligned by
Procrustes analysis, described by principal components, and fitted from coarse to fine: every
landmark suggests a move from what the image shows around it, and pose and shape follow all of
them as far as faces differ. The suggestion is not theirs. Grey-level profiles along normals,
trained on drawn faces, did not carry over to photographs (docs/decisions/0011), so a landmark
is described by gradient orientations on a grid, as in Milborrow, Nicolls: Active shape models
with SIFT descriptors and MARS, VISAPP 2014, doi:10.5220/0004680003800387, and its move is linear
in the descriptor, as in Xiong, De la Torre: Supervised descent method and its applications to
face alignment, CVPR 2013, doi:10.1109/CVPR.2013.75.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import Box
from merec_hpc.faces.reference import interocular_distance, normalised_shape
from merec_hpc.faces.shape_training.annotations import AnnotatedFace
from merec_hpc.faces.warps import Affine, fit_similarity, invert
from merec_hpc.files.atomic import published
from merec_hpc.files.npz import UnreadableNpzError, opened_npz

Points = NDArray[np.float64]  # (68, 2), (x, y)
Grey = NDArray[np.float32]  # (h, w)

# Of each stage: the distance between the eyes in pixels, and the side of a descriptor's cell as a
# fraction of it.
_STAGES = ((16.0, 0.22), (16.0, 0.22), (24.0, 0.16), (24.0, 0.16), (40.0, 0.12), (40.0, 0.12))
_MARGIN = 2.0  # distances between the eyes around the middle of the eyes that are looked at
_N_CELLS, _N_ORIENTATIONS = 4, 8  # cells along a side; directions of the gradient
_N_VALUES = _N_CELLS**2 * _N_ORIENTATIONS
_MOST_OF_ONE_VALUE = 0.2  # of a descriptor of norm 1: one strong edge does not decide alone
# Training: starts per face, how much more they spread than the boxes do, and their tilt (rad).
_N_STARTS, _SPREAD, _TILT = 3, 1.3, 0.08
_RIDGE = 0.005  # added to the mean product of a descriptor's values
_KEPT_VARIANCE = 0.98
_PRIOR = 3.0  # weight of the modes' variances against the landmarks' certainties
_ALIKE = 0.99  # of the training faces: a face is as near to their mean descriptors as these


@dataclass(frozen=True)
class ShapeModel:
    """What an Active Shape Model has learnt."""

    mean: NDArray[np.float64]  # (136,), normalised shape: eyes at (-0.5, 0) and (0.5, 0)
    modes: NDArray[np.float64]  # (136, n_modes), orthonormal
    variances: NDArray[np.float64]  # (n_modes,)
    placement: NDArray[np.float64]  # (3,): middle of the eyes in a box, their distance; in sides
    descriptors: NDArray[np.float32]  # (n_stages, 68, n_values), mean
    motions: NDArray[np.float32]  # (n_stages, 68, n_values, 2), motion per value of a descriptor
    mean_motions: NDArray[np.float32]  # (n_stages, 68, 2)
    certainties: NDArray[np.float64]  # (n_stages, 68), 1 / variance of a suggestion
    unlike: NDArray[np.float64]  # (), RMS distance of a face's descriptors from the mean, at most


class ActiveShape:
    """The model as a landmark engine."""

    def __init__(self, model: ShapeModel) -> None:
        self._model = model

    def initial(self, box: Box) -> Points:
        """Return the mean shape where the model expects it in a box, (68, 2)."""
        return _placed(self._model.mean.reshape(68, 2), _pose_in(box, self._model.placement))

    def fit(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Return the landmarks of the face in the box, shape (68, 2).

        Raises
        ------
        MerecError
            If what the image shows around the landmarks is like no face that was learnt.
        """
        grey = _grey(image)
        model = self._model
        pose, shape = _pose_in(box, model.placement), model.mean.reshape(68, 2)
        distance = 0.0
        for stage, (eyes_px, cell) in enumerate(_STAGES):
            rest = _describe(grey, pose, shape, eyes_px, cell) - model.descriptors[stage]
            motion = np.einsum("pv,pvx->px", rest, model.motions[stage])
            target = shape + motion + model.mean_motions[stage]
            pose, shape = _follow(model, model.certainties[stage], pose, target)
            distance = _distance(rest)
        if distance > model.unlike:
            msg = f"the shape model sees no face ({distance:.2f} from the mean one)"
            raise MerecError(msg)
        return _placed(shape, pose).astype(np.float32)


def train(faces: Sequence[AnnotatedFace], seed: int = 0) -> ShapeModel:
    """Train on faces, their 68 landmarks and the boxes that a detector finds.

    Raises
    ------
    ValueError
        If there are fewer than two faces.
    """
    if len(faces) < 2:
        msg = f"at least two faces expected, found {len(faces)}"
        raise ValueError(msg)
    rng = np.random.default_rng(seed)
    mean, modes, variances, rest_variance = _learn_shapes([face.landmarks for face in faces])
    placements = np.array([_placement(face) for face in faces])
    greys = [_grey(face.image) for face in faces]
    owners = [face for face in range(len(faces)) for _ in range(_N_STARTS)]
    states = [(_start(faces[i].box, placements, rng), mean) for i in owners]
    learnt = []
    model = ShapeModel(
        mean=mean.ravel(),
        modes=modes,
        variances=variances,
        placement=np.median(placements, axis=0),
        descriptors=np.empty(0, np.float32),
        motions=np.empty(0, np.float32),
        mean_motions=np.empty(0, np.float32),
        certainties=np.empty(0),
        unlike=np.array(0.0),
    )
    distances: list[float] = []
    for eyes_px, cell in _STAGES:
        seen = np.stack(
            [
                _describe(greys[owner], pose, shape, eyes_px, cell)
                for owner, (pose, shape) in zip(owners, states, strict=True)
            ]
        )
        wanted = np.stack(
            [
                _placed(faces[owner].landmarks, invert(pose)) - shape
                for owner, (pose, shape) in zip(owners, states, strict=True)
            ]
        )
        descriptors, mean_motions = seen.mean(axis=0), wanted.mean(axis=0)
        motions = np.stack(
            [
                _ridge(seen[:, point] - descriptors[point], wanted[:, point] - mean_motions[point])
                for point in range(68)
            ]
        )
        suggested = np.einsum("npv,pvx->npx", seen - descriptors, motions) + mean_motions
        certainties = 1 / (((suggested - wanted) ** 2).mean(axis=(0, 2)) + rest_variance)
        states = [
            _follow(model, certainties, pose, shape + suggestion)
            for (pose, shape), suggestion in zip(states, suggested, strict=True)
        ]
        learnt.append((descriptors, motions, mean_motions, certainties))
        distances = [_distance(one - descriptors) for one in seen]
    stacked = [np.stack(arrays) for arrays in zip(*learnt, strict=True)]
    return replace(
        model,
        descriptors=stacked[0].astype(np.float32),
        motions=stacked[1].astype(np.float32),
        mean_motions=stacked[2].astype(np.float32),
        certainties=stacked[3],
        unlike=np.array(np.quantile(distances, _ALIKE)),
    )


def shape_model_file(path: Path | None) -> AbstractContextManager[Path]:
    """Return the file of a model; without a path that of the one that is shipped."""
    if path is not None:
        return nullcontext(path)
    return as_file(files("merec_hpc.faces").joinpath("active_shape.npz"))


def save_model(path: Path, model: ShapeModel) -> None:
    """Write a model as NumPy's npz, in half precision: far finer than a model is certain of."""
    arrays = {
        field.name: np.asarray(
            getattr(model, field.name),
            np.float16 if field.name in {"descriptors", "motions"} else np.float32,
        )
        for field in fields(model)
    }
    with published(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_model(path: Path | None = None) -> ShapeModel:
    """Read a model; without a path the one that is shipped, trained on drawn faces.

    Raises
    ------
    MerecError
        If the file is no such model.
    """
    expected = {
        "mean": (136,),
        "placement": (3,),
        "descriptors": (len(_STAGES), 68, _N_VALUES),
        "motions": (len(_STAGES), 68, _N_VALUES, 2),
        "mean_motions": (len(_STAGES), 68, 2),
        "certainties": (len(_STAGES), 68),
        "unlike": (),
    }
    try:
        with shape_model_file(path) as file, opened_npz(file) as arrays:
            held: dict[str, Any] = {
                field.name: arrays[field.name].astype(
                    np.float32 if "motion" in field.name else np.float64
                )
                for field in fields(ShapeModel)
            }
    except UnreadableNpzError as error:
        msg = f"{path}: an Active Shape Model expected, found: {error}"
        raise MerecError(msg) from None
    model = ShapeModel(**held)
    for name, shape in expected.items():
        found = getattr(model, name).shape
        if found != shape:
            msg = f"{path}: an Active Shape Model with {name} {shape} expected, found {found}"
            raise MerecError(msg)
    return model


def _learn_shapes(shapes: Sequence[Points]) -> tuple[Points, Points, NDArray[np.float64], float]:
    """Return mean, modes and their variances of shapes, and the mean variance left out.

    Generalised Procrustes analysis, then principal components.
    """
    mean = normalised_shape(shapes[0])
    for _ in range(4):
        aligned = np.stack([_placed(shape, fit_similarity(shape, mean)) for shape in shapes])
        mean = normalised_shape(aligned.mean(axis=0))
    aligned = np.stack([_placed(shape, fit_similarity(shape, mean)) for shape in shapes])
    _, singular, modes = np.linalg.svd(
        (aligned - mean).reshape(len(shapes), -1), full_matrices=False
    )
    variances = singular**2 / len(shapes)
    kept = np.cumsum(variances) / variances.sum() < _KEPT_VARIANCE
    n_modes = int(kept.sum()) + 1
    return mean, modes[:n_modes].T, variances[:n_modes], float(variances[n_modes:].sum() / 136)


def _ridge(values: NDArray[np.floating], wanted: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the weights of a linear regression with a ridge, (n_values, 2)."""
    products = (values.T @ values).astype(np.float64)
    products[np.diag_indices_from(products)] += _RIDGE * len(values)
    return np.asarray(np.linalg.solve(products, values.T @ wanted), np.float64)


def _placement(face: AnnotatedFace) -> tuple[float, float, float]:
    """Return where the middle of the eyes is in a face's box, and their distance; in sides."""
    x, y = face.landmarks[36:48].mean(axis=0)
    box = face.box
    distance = interocular_distance(face.landmarks)
    return (x - box.left) / box.side, (y - box.top) / box.side, distance / box.side


def _start(box: Box, placements: NDArray[np.float64], rng: np.random.Generator) -> Affine:
    """Return a pose to learn from, as far off as a box may lead to."""
    spread = _SPREAD * placements.std(axis=0)
    pose = _pose_in(box, np.median(placements, axis=0) + rng.normal(0, 1, 3) * spread)
    tilt = rng.normal(0, _TILT)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    return np.column_stack([pose[:, :2] @ turn, pose[:, 2]])


def _pose_in(box: Box, placement: NDArray[np.float64]) -> Affine:
    """Return the map of the normalised shape into a box."""
    x, y, distance = placement * box.side
    return np.array([[distance, 0.0, box.left + x], [0.0, distance, box.top + y]])


def _placed(points: NDArray[np.floating], affine: Affine) -> Points:
    return np.asarray(points @ affine[:, :2].T + affine[:, 2], np.float64)


def _follow(
    model: ShapeModel, certainties: NDArray[np.float64], pose: Affine, target: Points
) -> tuple[Affine, Points]:
    """Return pose and shape that follow suggestions as far as faces differ.

    Pose and modes in turn, the modes by their most probable weights under the suggestions'
    certainties and their own variances; target and shape are in the frame of the pose.
    """
    mean, modes = model.mean, model.modes
    shape = mean.reshape(68, 2)
    weighted = modes * np.repeat(certainties, 2)[:, None]
    system = modes.T @ weighted + _PRIOR * np.diag(1 / model.variances)
    for _ in range(2):
        change = fit_similarity(shape, target, certainties)
        rest = _placed(target, invert(change)).ravel() - mean
        shape = (mean + modes @ np.linalg.solve(system, weighted.T @ rest)).reshape(68, 2)
    moved = np.column_stack([pose[:, :2] @ change[:, :2], _placed(change[:, 2], pose)])
    return moved, shape


def _grey(image: NDArray[np.uint8]) -> Grey:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _describe(
    grey: Grey, pose: Affine, shape: Points, eyes_px: float, cell: float
) -> NDArray[np.float32]:
    """Return what the image shows around a shape's points in a pose, (68, n_values)."""
    size = round(2 * _MARGIN * eyes_px)
    turn = pose[:, :2] / eyes_px
    affine = np.column_stack([turn, pose[:, 2] - pose[:, :2] @ np.full(2, _MARGIN)])
    shrinking = float(np.sqrt(abs(np.linalg.det(turn))))
    if shrinking > 1.2:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), shrinking / 2), np.float32)
    crop = cv2.warpAffine(
        grey,
        affine,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    maps = _orientation_maps(np.asarray(cv2.GaussianBlur(crop, (0, 0), 0.7), np.float32))
    cell_px = cell * eyes_px
    maps = np.asarray(cv2.GaussianBlur(maps, (0, 0), max(cell_px / 2, 0.5)), np.float32)
    reach = (np.arange(_N_CELLS) - (_N_CELLS - 1) / 2) * cell_px
    grid = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)
    places = (((shape + _MARGIN) * eyes_px)[:, None] + grid).astype(np.float32)
    read = [
        cv2.remap(
            maps[..., four : four + 4],  # no more channels than OpenCV reads at once
            places[..., 0],
            places[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for four in range(0, _N_ORIENTATIONS, 4)
    ]
    values = _normalised(np.concatenate(read, axis=2).reshape(68, _N_VALUES).astype(np.float32))
    return _normalised(np.minimum(values, _MOST_OF_ONE_VALUE))


def _orientation_maps(crop: Grey) -> NDArray[np.float32]:
    """Return the gradient's length, shared between the two nearest directions, (h, w, 8)."""
    across = cv2.Sobel(crop, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(crop, cv2.CV_32F, 0, 1, ksize=1)
    length = np.hypot(across, down)
    direction = np.arctan2(down, across) * np.float32(_N_ORIENTATIONS / (2 * np.pi))
    below = np.floor(direction)
    share = direction - below
    lower = below.astype(np.int64)[..., None] % _N_ORIENTATIONS
    maps = np.zeros((*crop.shape, _N_ORIENTATIONS), np.float32)
    np.put_along_axis(maps, lower, (length * (1 - share))[..., None], axis=2)
    np.put_along_axis(maps, (lower + 1) % _N_ORIENTATIONS, (length * share)[..., None], axis=2)
    return maps


def _normalised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(norms, np.float32(1e-3)), np.float32)


def _distance(rest: NDArray[np.floating]) -> float:
    """Return the RMS length of descriptors' differences from their means."""
    return float(np.sqrt((rest**2).sum(axis=1).mean()))
