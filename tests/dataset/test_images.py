from pathlib import Path

import pytest

from merec_hpc.dataset.images import frame_number


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("image559740.bmp", 559740),
        ("reg_s1_00012.bmp", 12),
        ("s20_ne_01_img00007_crop.png", 7),
        ("cam2-0003.jpg", 3),
        ("000.bmp", 0),
        ("neutral.pgm", None),
    ],
)
def test_number_of_a_frame_is_the_last_in_its_name(name: str, number: int | None) -> None:
    assert frame_number(Path(name)) == number
