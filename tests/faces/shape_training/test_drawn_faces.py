"""Drawn faces: repeatable, of many kinds, and faces to a detector that knows real ones."""

from pathlib import Path

import numpy as np
import pytest
from faces.drawn import percent

from merec_hpc.errors import MerecError
from merec_hpc.faces.detection import detect_faces
from merec_hpc.faces.landmarks import FaceMesh
from merec_hpc.faces.reference import normalised_shape
from merec_hpc.faces.registration import find_face
from merec_hpc.faces.shape_training.drawn_faces import HeadShape, draw_face, load_head

N_FACES = 20


@pytest.fixture(scope="module")
def head(weights: Path) -> HeadShape:
    return load_head(weights / "canonical_face")


def test_same_seed_draws_the_same_face(head: HeadShape) -> None:
    drawn = [draw_face(head, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0][0], drawn[1][0])
    np.testing.assert_array_equal(drawn[0][1], drawn[1][1])
    assert drawn[0][0].shape != drawn[2][0].shape or (drawn[0][0] != drawn[2][0]).any()


def test_landmarks_lie_in_the_picture_and_differ_in_shape(head: HeadShape) -> None:
    shapes = []
    for seed in range(N_FACES):
        image, landmarks = draw_face(head, np.random.default_rng(seed))
        assert image.dtype == np.uint8
        assert (landmarks > 0).all()
        assert (landmarks < image.shape[::-1]).all()
        shapes.append(normalised_shape(landmarks))
    # They differ in every landmark but the eyes', which are brought to the same places.
    spread = np.std(shapes, axis=0).max(axis=1)
    assert (np.delete(spread, slice(36, 48)) > 0.02).all()


def test_detector_and_network_of_real_faces_see_them_where_they_were_drawn(
    head: HeadShape, weights: Path
) -> None:
    engine, errors = FaceMesh(weights / "face_mesh"), []
    for seed in range(N_FACES):
        grey, landmarks = draw_face(head, np.random.default_rng(seed))
        image = np.repeat(grey[..., None], 3, axis=2)
        assert any(detect_faces(image, 0.2))
        try:
            errors.append(percent(find_face(image, engine, 0.2)[1], landmarks))
        except MerecError:  # drawn faces are not photographs
            continue
    assert len(errors) > 0.8 * N_FACES
    assert np.median(errors) < 15


@pytest.mark.parametrize("content", [b"", b"no tensor"])
def test_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head").write_bytes(content)
    with pytest.raises(MerecError, match="the canonical face, 468 vertices, expected, found"):
        load_head(tmp_path / "head")
