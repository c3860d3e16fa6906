"""Where the apex of a clip is from: the sheet, a pair, a single frame, or a search."""

import logging
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.sources import Folder, Images
from merec_hpc.errors import MerecError
from merec_hpc.motion.apexes import with_apex

NOWHERE = np.full((7, 68, 2), np.nan, np.float32)
NUMBERS = list(range(40, 47))
CLIP = Clip("c1", "s1", "happy", Folder("c1"), onset=40, offset=46)


def _frames(moved: int) -> NDArray[np.uint8]:
    """Seven frames of a blob that is furthest away in one of them."""
    frames = np.zeros((7, 64, 64, 3), np.uint8)
    for place, frame in enumerate(frames):
        x = 32 + 2 * (3 - min(abs(place - moved), 3))
        cv2.circle(frame, (x if place else 32, 32), 8, (200, 200, 200), -1)
    return frames


def test_the_sheet_s_apex_is_taken_as_it_is() -> None:
    given = replace(CLIP, apex=42, apex_source="sheet")
    assert with_apex(given, _frames(4), NOWHERE, NUMBERS, "difference") == given
    manual = with_apex(replace(CLIP, apex=42), _frames(4), NOWHERE, NUMBERS, "difference")
    assert (manual.apex, manual.apex_source) == (42, "sheet")


@pytest.mark.parametrize("method", ["difference", "flow"])
def test_elsewhere_it_is_found_and_says_how(method: str) -> None:
    found = with_apex(CLIP, _frames(4), NOWHERE, NUMBERS, method)  # type: ignore[arg-type]
    assert (found.apex, found.apex_source) == (44, method)


def test_of_a_pair_it_is_the_second_image_and_of_one_frame_that_one() -> None:
    pair = Clip("c", "s", "happy", Images(("a.pgm", "b.pgm")))
    found = with_apex(pair, _frames(4)[:2], NOWHERE[:2], [0, 1], "dc_rois")
    assert (found.apex, found.apex_source) == (1, "pair")
    alone = with_apex(CLIP, _frames(4)[:1], NOWHERE[:1], [40], "dc_rois")
    assert (alone.apex, alone.apex_source) == (40, "single")


def test_an_apex_outside_onset_and_offset_is_refused() -> None:
    for apex in (39, 47):
        wrong = replace(CLIP, apex=apex)
        with pytest.raises(
            MerecError, match=f"'c1': an apex between onset 40 and offset 46 .* {apex}"
        ):
            with_apex(wrong, _frames(4), NOWHERE, NUMBERS, "difference")


def test_an_apex_that_is_no_frame_is_found_and_said(caplog: pytest.LogCaptureFixture) -> None:
    clip = replace(CLIP, onset=None, offset=None, apex=90, apex_source="sheet")
    with caplog.at_level(logging.WARNING):
        found = with_apex(clip, _frames(4), NOWHERE, NUMBERS, "difference")
    assert (found.apex, found.apex_source) == (44, "difference")
    assert "c1: apex 90 of the sheet is none of its frames after the onset, 40 to 46" in caplog.text


def test_an_apex_that_is_the_onset_is_none(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        clip = replace(CLIP, apex=40, apex_source="sheet")
        found = with_apex(clip, _frames(4), NOWHERE, NUMBERS, "difference")
    assert (found.apex, found.apex_source) == (44, "difference")
    assert "c1: apex 40 of the sheet" in caplog.text


def test_what_another_search_found_is_looked_for_again() -> None:
    former = replace(CLIP, apex=42, apex_source="dc_rois")
    found = with_apex(former, _frames(4), NOWHERE, NUMBERS, "flow")
    assert (found.apex, found.apex_source) == (44, "flow")


def test_regions_without_landmarks_are_refused() -> None:
    with pytest.raises(MerecError, match=r"apex.method dc_rois: landmarks expected"):
        with_apex(CLIP, _frames(4), NOWHERE, NUMBERS, "dc_rois")
