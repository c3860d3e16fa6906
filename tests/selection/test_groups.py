"""Which groups are taken, and which are refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from merec_hpc.selection.groups import owners_of


@pytest.mark.parametrize(
    "groups",
    [
        ["b", "a", "b"],
        np.array([2.0, 1.0, 2.0]),
        pd.Series(["b", "a", "b"]),
        pd.Series(["b", "a", "b"], dtype="category"),
        pd.Series([2, 1, 2], dtype="Int64"),
        pd.to_datetime(["2026-02-01", "2026-01-01", "2026-02-01"]),
        (True, False, True),
    ],
    ids=str,
)
def test_groups_of_any_kind_tell_who_is_who(groups: Any) -> None:
    _, numbers = np.unique(owners_of(groups, 3), return_inverse=True)
    assert numbers.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "groups",
    [
        ["a", None, "b"],
        ["a", np.nan, "b"],
        [1.0, float("nan"), 2.0],
        np.array([1.0, np.nan, 2.0]),
        pd.Series(["a", None, "b"]),
        pd.Series(["a", None, "b"], dtype="string"),
        pd.Series([1, pd.NA, 2], dtype="Int64"),
        pd.Series(["a", None, "b"], dtype="category"),
        ["a", pd.NA, "b"],
        pd.to_datetime(["2026-01-01", None, "2026-01-01"]),
        np.array(["2026-01-01", "NaT", "2026-01-01"], "datetime64[D]"),
    ],
    ids=str,
)
def test_missing_groups_are_refused(groups: Any) -> None:
    with pytest.raises(ValueError, match=r"groups: one for each sample expected, found .* at 1$"):
        owners_of(groups, 3)


def test_the_number_of_missing_groups_is_told() -> None:
    with pytest.raises(ValueError, match="found None at 0 and 2 more"):
        owners_of([None, None, 1, None], 4)


def test_groups_that_nobody_can_sort_are_refused() -> None:
    mixed = np.array(["a", 1, 2], object)
    with pytest.raises(ValueError, match="groups: values of one type expected, found int, str"):
        owners_of(mixed, 3)


def test_groups_are_one_list() -> None:
    with pytest.raises(ValueError, match=r"groups: shape \(2,\) expected, found \(2, 1\)"):
        owners_of([[1], [2]], 2)


def test_without_groups_everyone_is_alone_and_it_is_said() -> None:
    with pytest.warns(UserWarning, match="no groups given"):
        assert owners_of(None, 3).tolist() == [0, 1, 2]
