"""Compiles loops over arrays once per machine, not once per process.

Numba renews a cached function when its own file changes, not when a function that it calls
does. The cache therefore lies in a folder that is named by the sources of all kernels.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def _cache_folder() -> str | None:
    """Return where compiled code is kept, or ``None`` if nothing can be written there."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    folder = home / "merec_hpc" / f"kernels-{digest.hexdigest()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


_folder = numba.config.CACHE_DIR or _cache_folder()
if _folder is not None:
    numba.config.CACHE_DIR = _folder


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function that releases the interpreter's lock."""
    return numba.njit(nogil=True, cache=_folder is not None)(function)


def compiled_freely(function: Callable[..., Any]) -> Any:
    """Compile a function whose sums may be taken in any order: no result may depend on it."""
    fastmath = {"reassoc", "contract"}
    return numba.njit(nogil=True, fastmath=fastmath, cache=_folder is not None)(function)
