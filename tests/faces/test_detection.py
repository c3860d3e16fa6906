from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from merec_hpc.errors import MerecError
from merec_hpc.faces import detection
from merec_hpc.faces.detection import Box, detect_faces

NOSE = np.array([224.0, 127.0])  # tip of the astronaut's, read off the photograph


def _on_nose(boxes: list[Box], nose: NDArray[np.float64]) -> list[Box]:
    """The boxes of a head's size about a nose: the cascade also fires on the space suit."""
    return [box for box in boxes if np.abs(box.centre - nose).max() < 20 and 70 < box.side < 140]


def test_photographed_face_is_among_the_candidates() -> None:
    assert _on_nose(list(detect_faces(astronaut(), 0.1)), NOSE)


def test_only_candidate_of_a_close_portrait_is_the_face() -> None:
    portrait = astronaut()[20:220, 120:330]
    boxes = list(detect_faces(portrait, 0.3))
    assert _on_nose(boxes, NOSE - np.array([120, 20])) == boxes


def test_candidates_are_listed_once() -> None:
    boxes = list(detect_faces(astronaut(), 0.1))
    assert len(boxes) > 1
    assert len(set(boxes)) == len(boxes)


@pytest.mark.parametrize("min_fraction", [0.1, 0.2])
def test_no_candidate_is_smaller_than_asked_for(min_fraction: float) -> None:
    boxes = list(detect_faces(astronaut(), min_fraction))
    assert min(box.side for box in boxes) >= round(min_fraction * 512)


def test_face_that_is_too_small_is_no_candidate() -> None:
    with pytest.raises(MerecError, match="no face of at least 410 pixels in an image of 512x512"):
        list(detect_faces(astronaut(), 0.8))


def test_size_in_the_message_is_width_by_height() -> None:
    with pytest.raises(MerecError, match="no face of at least 36 pixels in an image of 320x240"):
        list(detect_faces(np.full((240, 320, 3), 128, np.uint8), 0.15))


def test_face_is_sought_in_all_of_an_image() -> None:
    wide = np.concatenate([np.zeros((512, 300, 3), np.uint8), astronaut()], axis=1)
    assert _on_nose(list(detect_faces(wide, 0.15)), NOSE + np.array([300, 0]))


def test_dim_face_is_among_the_candidates() -> None:
    dim = (astronaut() * 0.4).astype(np.uint8)
    assert _on_nose(list(detect_faces(dim, 0.1)), NOSE)


def test_centre_is_half_a_side_from_the_corner() -> None:
    assert Box(10.0, 20.0, 8.0).centre == (14.0, 24.0)


def test_candidates_of_more_neighbours_come_first_and_of_those_the_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, middle, large = (10, 10, 30, 30), (40, 0, 50, 50), (0, 0, 90, 90)
    larger, smaller = (1, 1, 70, 70), (2, 2, 28, 28)
    found = {
        6: [small, large, middle],
        3: [smaller, small, large, larger, middle],
        1: [(3, 3, 99, 99), small],
    }
    asked: list[int] = []

    def find(_: object, **options: Any) -> list[tuple[int, ...]]:
        asked.append(options["minNeighbors"])
        return found[asked[-1]]

    monkeypatch.setattr(detection, "_cascade", lambda: SimpleNamespace(detectMultiScale=find))
    candidates = detect_faces(np.zeros((100, 100, 3), np.uint8), 0.2)
    assert next(candidates) == Box(0, 0, 90)
    assert asked == [6]  # no laxer search than is needed
    assert [box.side for box in candidates] == [50, 30, 70, 28, 99]
    assert asked == [6, 3, 1]
