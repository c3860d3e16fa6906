"""Whom each sample is of: the groups that are left out."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_UNKNOWN = (
    "no groups given: every sample is left out alone, as if it were of a subject of its own; pass "
    "groups to fit, or in a cross-validation by sklearn.set_config(enable_metadata_routing=True) "
    "and params={'groups': groups}; groups=range(n) if samples are independent"
)


def owners_of(groups: ArrayLike | None, n_samples: int) -> NDArray[Any]:
    """Return the group of each sample, shape (n_samples,) if ``groups`` is as it should be.

    Without groups every sample is its own, and a ``UserWarning`` says so.

    Raises
    ------
    ValueError
        If groups are not a list, one of them is missing (None, NaN, pandas.NA), or they cannot
        be sorted.
    """
    if groups is None:
        warnings.warn(_UNKNOWN, UserWarning, stacklevel=3)  # at the call of fit
        return np.arange(n_samples)
    return check_groups(groups, n_samples)


def check_groups(groups: ArrayLike, n_samples: int) -> NDArray[Any]:
    """Return the group of each sample, shape (n_samples,), as it was given.

    Raises
    ------
    ValueError
        As ``owners_of``.
    """
    given = np.asarray(groups, object)  # in a list of texts NumPy makes NaN the text 'nan'
    if given.ndim != 1:
        msg = f"groups: shape ({n_samples},) expected, found {given.shape}"
        raise ValueError(msg)
    missing = [place for place, group in enumerate(given) if _is_missing(group)]
    if missing:
        first, more = missing[0], f" and {len(missing) - 1} more" if missing[1:] else ""
        msg = f"groups: one for each sample expected, found {given[first]} at {first}{more}"
        raise ValueError(msg)
    owners = np.asarray(groups)
    are_texts = {isinstance(group, str) for group in given}
    if owners.dtype == object or len(are_texts) > 1:  # a list of both NumPy makes texts
        _check_sortable(given)
    return owners


def _is_missing(group: object) -> bool:
    try:
        # NaN and NaT differ from themselves.
        return group is None or bool(group != group)  # noqa: PLR0124
    except TypeError:  # pandas.NA, of which nobody knows
        return True


def _check_sortable(owners: NDArray[Any]) -> None:
    try:
        np.sort(owners)
    except TypeError:
        kinds = sorted({type(owner).__name__ for owner in owners})
        msg = f"groups: values of one type expected, found {', '.join(kinds)}"
        raise ValueError(msg) from None
