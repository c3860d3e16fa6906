"""Writes and reads the deep features of all clips."""

from collections.abc import Callable
from operator import call
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from merec_hpc.config.base import to_json
from merec_hpc.records import Features
from merec_hpc.store.schema import FEATURES, opened_store, read_array, write_store


def write_features(
    path: Path,
    features: Features,
    settings: object,
    weights_sha256: str,
) -> None:
    """Write features with the settings, software and weights (if any) that made them."""
    attributes = {"settings": to_json(settings), "weights_sha256": weights_sha256}
    write_store(path, FEATURES, vars(features), attributes)


def read_features(
    path: Path, share: Callable[[Callable[[], NDArray[Any]]], NDArray[Any]] = call
) -> Features:
    """Read the features of all clips, in the catalog's order.

    Parameters
    ----------
    share
        Returns what its argument makes: the values, once for all processes of a node.
    """
    with opened_store(path, FEATURES) as file:
        arrays = {
            array.name: read_array(file, FEATURES, array.name)
            for array in FEATURES.arrays
            if array.name != "values"
        }
        arrays["values"] = share(lambda: read_array(file, FEATURES, "values"))
    return Features(**arrays)
