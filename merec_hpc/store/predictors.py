"""Writes and reads a predictor: all that predictions on new clips need."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from merec_hpc.records import Predictor
from merec_hpc.store.reading import opened_store
from merec_hpc.store.schema import PREDICTOR
from merec_hpc.store.writing import write_store


def write_predictor(path: Path, predictor: Predictor, decider: str) -> None:
    """Write a predictor, and who decides."""
    write_store(path, PREDICTOR, vars(predictor), {"decider": decider})


def read_predictor(path: Path) -> Predictor:
    """Read what ``write_predictor`` wrote."""
    with opened_store(path, PREDICTOR) as store:
        names = [field.name for field in fields(Predictor) if field.name in store]
        arrays = {name: store.array(name) for name in names}
    # Version 1 had no intercepts.
    arrays.setdefault("intercepts", np.zeros(arrays["weights"].shape[:2]))
    arrays.setdefault("bias", np.zeros_like(arrays["C"]))
    return Predictor(**arrays)
