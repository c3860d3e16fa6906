"""All pairs of C and bias, in the order in which the first of equals counts."""

import numpy as np

from merec_hpc.config.selection import SelectorSettings
from merec_hpc.selection.svm_grid import SvmGrid


def test_penalties_ascend_and_biases_stand_as_listed() -> None:
    grid = SvmGrid.of(SelectorSettings(C_values=(10.0, 0.1), bias=("none", 0.3, 0.03)))
    assert len(grid) == 6
    assert grid.C.tolist() == [0.1, 0.1, 0.1, 10.0, 10.0, 10.0]
    assert grid.bias.tolist() == [0.0, 0.3, 0.03] * 2


def test_every_mask_comes_with_all_pairs() -> None:
    grid = SvmGrid.of(SelectorSettings(C_values=(1.0, 2.0), bias=(0.3,)))
    masks, penalties, biases = grid.with_each(np.array([[True, False], [False, True]]))
    assert masks.tolist() == [[True, False]] * 2 + [[False, True]] * 2
    assert penalties.tolist() == [1.0, 2.0, 1.0, 2.0]
    assert biases.tolist() == [0.3] * 4
