"""What torch works on: the CPU, or a GPU."""

import torch

from merec_hpc.errors import MerecError


def find_device() -> str:
    """Return what networks run on here: the name of the GPU, or "cpu"."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def opened_device(name: str | None = None) -> torch.device:
    """Return a device by its name; without one the GPU where there is one.

    Raises
    ------
    MerecError
        If there is no such device, or it is none that is meant.
    """
    known = ["cpu"]
    if torch.cuda.is_available():
        known += ["cuda", *(f"cuda:{place}" for place in range(torch.cuda.device_count()))]
    if name is None:
        return torch.device(known[min(1, len(known) - 1)])
    if name not in known:
        msg = f"device: one of those here ({', '.join(known)}) expected, found {name!r}"
        raise MerecError(msg)
    return torch.device(name)


def is_shortage(error: RuntimeError) -> bool:
    """Return whether memory is short: torch has a class of error for that on devices alone."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
