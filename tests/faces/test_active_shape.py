"""Laws of the shape model, and where the shipped one lands on real faces."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from faces.drawn import drawn_faces, percent
from numpy.typing import NDArray
from skimage.data import astronaut

from merec_hpc.errors import MerecError
from merec_hpc.faces.active_shape import (
    ActiveShape,
    ShapeModel,
    load_model,
    save_model,
    shape_model_file,
    train,
)
from merec_hpc.faces.detection import Box
from merec_hpc.faces.landmarks import FaceMesh
from merec_hpc.faces.registration import find_face
from merec_hpc.faces.shape_training.annotations import AnnotatedFace

N_CMU_FACES = 78
ASTRONAUT = Box(173.0, 63.0, 101.0)
# Issue 5 asks for 95 % of the faces, an error to the default engine below 8 % and at most half of
# the initial shape's; measured on 77 of 78: 6.3 % after 12.8 %.
LEAST_LANDED, MOST_PERCENT = 0.95, 8.0


@pytest.fixture(scope="module")
def shipped() -> ActiveShape:
    return ActiveShape(load_model())


@pytest.fixture(scope="module")
def faces(weights: Path) -> list[AnnotatedFace]:
    return drawn_faces(weights / "canonical_face", 90, seed=11)


@pytest.fixture(scope="module")
def trained(faces: list[AnnotatedFace]) -> ShapeModel:
    return train(faces[:60])


def test_shipped_model_lands_on_real_faces(
    shipped: ActiveShape, weights: Path, cmu_faces: Path
) -> None:
    engine = FaceMesh(weights / "face_mesh")
    before, after = [], []
    for path in sorted(cmu_faces.glob("faces/*/*_straight_*_open.pgm")):
        image = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)
        box, expected = find_face(image, engine, 0.2)
        try:
            found = shipped.fit(image, box)
        except MerecError:
            continue
        before.append(percent(shipped.initial(box), expected))
        after.append(percent(found, expected))
    landed = np.array(after) < 2 * MOST_PERCENT
    assert landed.sum() >= LEAST_LANDED * N_CMU_FACES
    assert np.mean(after) < MOST_PERCENT
    assert np.mean(after) <= np.mean(before) / 2


def test_shipped_model_finds_its_way_on_faces_it_has_not_seen(
    shipped: ActiveShape, faces: list[AnnotatedFace]
) -> None:
    errors, starts = [], []
    for face in faces:
        try:
            found = shipped.fit(face.image, face.box)
        except MerecError:  # of the drawn faces the model holds one in a hundred for none
            continue
        errors.append(percent(found, face.landmarks))
        starts.append(percent(shipped.initial(face.box), face.landmarks))
    assert len(errors) >= 0.9 * len(faces)
    assert np.mean(errors) < 0.5 * np.mean(starts)


def test_little_training_helps_on_other_faces_too(
    trained: ShapeModel, faces: list[AnnotatedFace]
) -> None:
    engine = ActiveShape(replace(trained, unlike=np.array(9.0)))
    others = faces[60:]
    errors = [percent(engine.fit(face.image, face.box), face.landmarks) for face in others]
    starts = [percent(engine.initial(face.box), face.landmarks) for face in others]
    assert np.mean(errors) < 0.7 * np.mean(starts)


def test_modes_are_orthonormal_and_their_variances_fall(trained: ShapeModel) -> None:
    products = trained.modes.T @ trained.modes
    np.testing.assert_allclose(products, np.eye(len(products)), atol=1e-9)
    assert (np.diff(trained.variances) <= 0).all()


def test_mean_shape_has_its_eyes_at_one_half(trained: ShapeModel) -> None:
    mean = trained.mean.reshape(68, 2)
    eyes = [mean[36:42].mean(axis=0), mean[42:48].mean(axis=0)]
    np.testing.assert_allclose(eyes, [[-0.5, 0], [0.5, 0]], atol=1e-9)


def test_training_is_repeatable(faces: list[AnnotatedFace]) -> None:
    one, two = train(faces[:6], seed=3), train(faces[:6], seed=3)
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values, getattr(two, name))
    other = train(faces[:6], seed=4)
    assert (one.motions != other.motions).any()


@pytest.mark.parametrize("shift", [(0, 0), (17, 9)])
@pytest.mark.parametrize("scale", [1, 2])
def test_landmarks_move_with_the_image(
    shipped: ActiveShape, shift: tuple[int, int], scale: int
) -> None:
    image = np.asarray(astronaut(), np.uint8)
    box = ASTRONAUT
    moved = cv2.copyMakeBorder(image, shift[1], 0, shift[0], 0, cv2.BORDER_REPLICATE)
    moved = cv2.resize(moved, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    there = Box((box.left + shift[0]) * scale, (box.top + shift[1]) * scale, box.side * scale)
    expected = (shipped.fit(image, box) + shift) * scale
    assert percent(shipped.fit(np.asarray(moved, np.uint8), there), expected) < 2


def test_no_face_is_seen_beside_the_face(shipped: ActiveShape) -> None:
    image = np.asarray(astronaut(), np.uint8)
    with pytest.raises(MerecError, match=r"the shape model sees no face \("):
        shipped.fit(image, Box(330.0, 300.0, 100.0))


def test_saved_model_fits_as_the_one_in_memory(
    tmp_path: Path, trained: ShapeModel, faces: list[AnnotatedFace]
) -> None:
    trained = replace(trained, unlike=np.array(9.0))
    save_model(tmp_path / "model.npz", trained)
    read = ActiveShape(load_model(tmp_path / "model.npz"))
    for face in faces[:5]:
        found = read.fit(face.image, face.box)
        # Half precision: far below what a landmark's place means.
        assert percent(found, ActiveShape(trained).fit(face.image, face.box)) < 0.5


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(MerecError, match="an Active Shape Model expected") as raised:
        load_model(path)
    assert str(path) in str(raised.value)


def _without(arrays: dict[str, NDArray[np.generic]]) -> None:
    del arrays["modes"]


def _of_other_shape(arrays: dict[str, NDArray[np.generic]]) -> None:
    arrays["motions"] = arrays["motions"][:2]


@pytest.mark.parametrize(("spoil", "found"), [(_without, "modes"), (_of_other_shape, "motions")])
def test_incomplete_model_is_refused(tmp_path: Path, spoil: object, found: str) -> None:
    with shape_model_file(None) as path, np.load(path) as file:
        arrays = dict(file)
    assert callable(spoil)
    spoil(arrays)
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(MerecError, match=f"an Active Shape Model .*{found}"):
        load_model(tmp_path / "model.npz")


def test_one_face_is_too_few(faces: list[AnnotatedFace]) -> None:
    with pytest.raises(ValueError, match="at least two faces expected, found 1"):
        train(faces[:1])
