"""Flow from onset to apex as features of a clip."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.motion import FlowSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.flow import count_features, onset_and_apex, open_extractor
from merec_hpc.motion.descriptors import describe_flow, flow_names
from merec_hpc.motion.optical_flow import open_flow

SIZE = 96
NOWHERE = np.full((5, 68, 2), np.nan, np.float32)
SETTINGS = FlowSettings(grid=4, outputs=("u", "strain"))


def _moved(pixels: float) -> NDArray[np.uint8]:
    """A piece of a photograph, so much further right."""
    photo = astronaut()[40 : 40 + SIZE, 150 : 150 + SIZE + 40]
    shift = np.array([[1.0, 0, pixels], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(photo, shift, (SIZE, SIZE)), np.uint8)


def _clip(name: str, apex: int, moves: list[float], **known: object) -> FaceClip:
    frames = np.stack([_moved(-10 + move) for move in moves])
    return FaceClip(name, frames, NOWHERE, apex, 3, **known)  # type: ignore[arg-type]


def test_flow_is_that_from_the_first_frame_to_the_apex() -> None:
    clip = _clip("c", 2, [0, 1, 2, 1, 0])
    ((values, names),) = open_extractor(SETTINGS, None).extract([clip], 1)
    np.testing.assert_array_equal(names, flow_names(SETTINGS))
    assert len(values) == count_features(SETTINGS) == 32
    assert np.median(values[:16]) == pytest.approx(2, abs=0.1)
    seen = onset_and_apex(clip)
    flow = open_flow(SETTINGS)(seen.onset, seen.apex)
    np.testing.assert_array_equal(
        values, describe_flow(flow, seen.was_filmed, seen.landmarks, SETTINGS)
    )


def test_what_was_not_filmed_has_no_flow() -> None:
    affines = np.tile(np.array([[1.0, 0, SIZE / 2], [0, 1, 0]]), (3, 1, 1))
    clip = _clip("c", 1, [0, 2, 0], affines=affines, filmed=(SIZE, SIZE))
    ((values, _),) = open_extractor(SETTINGS, None).extract([clip], 1)
    grid = values[:16].reshape(4, 4)
    assert (grid[:, :2] == 0).all()
    assert np.median(grid[:, 2:]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_number_of_threads_changes_no_bit(method: str) -> None:
    settings = FlowSettings(
        method=method, outputs=("u", "v", "magnitude", "strain", "hoof"), grid=5
    )
    clips = [_clip(f"c{place}", 1, [0, place / 4, 0]) for place in range(11)]
    one, two = (list(open_extractor(settings, None).extract(clips, count)) for count in (1, 2))
    assert [row.tobytes() for row, _ in one] == [row.tobytes() for row, _ in two]


def test_single_image_without_a_neutral_frame_is_refused() -> None:
    clip = _clip("c7", 0, [0])
    with pytest.raises(MerecError, match=r"clip 'c7': two frames or more .*neutral.* for flow"):
        list(open_extractor(SETTINGS, None).extract([clip], 1))


def test_method_that_opencv_lacks_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(cv2, "optflow", raising=False)
    with pytest.raises(MerecError, match=r"flow.method tvl1: OpenCV with its contributed modules"):
        open_extractor(FlowSettings(method="tvl1"), None)
