"""LBP of single frames against its definition, and its changes."""

import numpy as np
import pytest

from merec_hpc.clips.face_clip import FaceClip
from merec_hpc.config.features import LbpSettings
from merec_hpc.errors import MerecError
from merec_hpc.features.lbp import count_features, frame_patterns, lbp_names, open_extractor

SMALL = LbpSettings(n_points=4, n_blocks=2, statistics=("apex_difference", "mean_difference"))
NOWHERE = np.full((4, 68, 2), np.nan, np.float32)


def _by_hand(grey: np.ndarray, n_blocks: int) -> np.ndarray:  # type: ignore[type-arg]
    """Return histograms of the 16 patterns of four neighbours, pixel by pixel, (16, rows, columns)."""
    height, width = grey.shape
    counts = np.zeros((16, n_blocks, n_blocks))
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            neighbours = [grey[y, x + 1], grey[y - 1, x], grey[y, x - 1], grey[y + 1, x]]
            code = sum(int(value >= grey[y, x]) << bit for bit, value in enumerate(neighbours))
            counts[code, y * n_blocks // height, x * n_blocks // width] += 1
    return counts / counts.sum(axis=0)


@pytest.mark.parametrize("n_blocks", [1, 2, 3])
def test_histograms_are_those_of_the_definition(rng: np.random.Generator, n_blocks: int) -> None:
    grey = rng.integers(0, 256, (2, 13, 11), dtype=np.uint8)
    frames = np.repeat(grey[..., None], 3, axis=3).astype(np.float32)
    settings = LbpSettings(n_points=4, uniform=False, n_blocks=n_blocks)
    found = frame_patterns(frames, settings)
    for histograms, frame in zip(found, grey.astype(int), strict=True):
        np.testing.assert_allclose(histograms, _by_hand(frame, n_blocks), rtol=1e-6)


def test_names_lead_to_the_change_of_a_bin(rng: np.random.Generator) -> None:
    frames = rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    clip = FaceClip("c", frames, NOWHERE, apex=2, n_interpolated=4)
    ((values, names),) = open_extractor(SMALL, None).extract([clip], 1)
    assert len(values) == count_features(SMALL) == len(set(names.tolist())) == 2 * 15 * 4
    patterns = frame_patterns(frames.astype(np.float32), SMALL).astype(np.float64)
    found = dict(zip(names.tolist(), values.tolist(), strict=True))
    for number in range(15):
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            series = patterns[:, number, row, column]
            name = f"lbp/xy/{number}/{row}/{column}"
            assert found[f"{name}/apex_difference"] == pytest.approx(
                series[2] - series[0], abs=1e-6
            )
            # As many frames as the clip has: interpolation leaves them as they are.
            change = (series - series[0]).mean()
            assert found[f"{name}/mean_difference"] == pytest.approx(change, abs=0.02)


def test_number_of_threads_changes_no_bit(rng: np.random.Generator) -> None:
    clips = [
        FaceClip(f"c{place}", rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8), NOWHERE, 3, 5)
        for place in range(11)
    ]
    one, two = (list(open_extractor(SMALL, None).extract(clips, count)) for count in (1, 2))
    assert [row.tobytes() for row, _ in one] == [row.tobytes() for row, _ in two]


def test_single_frame_is_refused() -> None:
    clip = FaceClip("c", np.zeros((1, 16, 16, 3), np.uint8), NOWHERE, 0)
    with pytest.raises(MerecError, match="clip 'c': two frames or more"):
        list(open_extractor(SMALL, None).extract([clip], 1))


def test_uniform_patterns_share_a_bin_with_names_of_their_own() -> None:
    assert len(lbp_names(LbpSettings(n_points=8, n_blocks=1))) == 59
