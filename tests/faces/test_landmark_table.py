"""OpenFace's tables: what they say of each frame, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from merec_hpc.errors import MerecError
from merec_hpc.faces.landmark_table import LandmarkTable

HEADER = ["frame", "face_id", "timestamp", "confidence", "success"]
COLUMNS = HEADER + [f"x_{i}" for i in range(68)] + [f"y_{i}" for i in range(68)]
Row = tuple[int, float, int, float]  # frame, confidence, success, and where all points lie


def _write(path: Path, rows: list[Row], separator: str = ",") -> Path:
    lines = [separator.join(COLUMNS)]
    for frame, confidence, success, value in rows:
        xs = [value + point for point in range(68)]
        ys = [2 * value + point for point in range(68)]
        lines.append(separator.join(map(str, [frame, 0, 0.1, confidence, success, *xs, *ys])))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("separator", [",", ", "])  # OpenFace 2 and the versions before it
def test_landmarks_are_those_of_the_frame(tmp_path: Path, separator: str) -> None:
    table = LandmarkTable(_write(tmp_path / "a.csv", [(1, 1, 1, 10), (2, 1, 1, 20)], separator))
    assert len(table) == 2
    box, points = table.of_frame(1)
    np.testing.assert_array_equal(points[:, 0], 20 + np.arange(68))
    np.testing.assert_array_equal(points[:, 1], 40 + np.arange(68))
    assert (box.left, box.top, box.side) == (20, 40, 67)


def test_most_certain_face_of_a_frame_counts(tmp_path: Path) -> None:
    rows: list[Row] = [(1, 0.4, 1, 10), (1, 0.9, 1, 30), (1, 0.6, 1, 50)]
    _, points = LandmarkTable(_write(tmp_path / "a.csv", rows)).of_frame(0)
    assert points[0].tolist() == [30, 60]


def test_frame_without_success_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    table = LandmarkTable(_write(tmp_path / "a.csv", [(1, 1, 1, 10), (2, 0, 0, 0), (3, 1, 1, 9)]))
    assert len(table) == 3
    with pytest.raises(MerecError, match="landmarks of frame 2 expected, found none"):
        table.of_frame(1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "a table of landmarks expected, found: .*No such file"),
        ("", "OpenFace's column frame expected"),
        ("frame,x_0\n1,2\n", "OpenFace's column y_0 expected"),
        (",".join(COLUMNS) + "\n1,2\n", "line 2: 141 numbers expected"),
        (",".join(COLUMNS) + "\n" + ",".join(["x"] * 141) + "\n", "line 2: 141 numbers expected"),
        (",".join(COLUMNS) + "\n", "landmarks of at least one frame expected, found none"),
    ],
)
def test_mistake_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "a.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(MerecError, match=message) as raised:
        LandmarkTable(path)
    assert str(path) in str(raised.value)
