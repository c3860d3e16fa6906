"""Compiles loops over arrays once per machine, not once per process.

Numba renews a cached function when its own file changes, not when a function that it calls
does. The cache therefore lies in a folder that is named by the sources of all kernels. It is
ours alone: where Numba keeps a user's functions does not change.
"""

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserWideCacheLocator
from numba.core.sigutils import normalize_signature

N_KEPT = 3
"""Folders of compiled code that are kept: of other versions that may still be in use."""


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function that releases the interpreter's lock."""
    return _cached(numba.njit(nogil=True)(function))


def compiled_freely(function: Callable[..., Any]) -> Any:
    """Compile a function whose sums may be taken in any order: no result may depend on it."""
    return _cached(numba.njit(nogil=True, fastmath={"reassoc", "contract"})(function))


def cache_folder() -> Path:
    """Return where compiled code of these sources is kept; it need not be there yet.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    home = numba.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "merec_hpc" / f"kernels-{digest.hexdigest()[:16]}"


def remove_old(folders: Path) -> None:
    """Remove all but the newest folders of compiled code.

    A process that has loaded its code needs the files no more, and one that has not compiles.
    """

    def age(folder: Path) -> float:
        try:
            return -folder.stat().st_mtime
        except OSError:  # another process has just removed it
            return 0.0

    for folder in sorted(folders.glob("kernels-*"), key=age)[N_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


class _Locator(UserWideCacheLocator):
    """Tells Numba where a function is kept; nothing is written before there is code to keep."""

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "_Locator | None":
        return cls(py_func, py_file) if _FOLDER is not None else None

    def get_cache_path(self) -> str:
        return str(_FOLDER)

    def ensure_cache_path(self) -> None:
        folder = Path(self.get_cache_path())
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        if is_new:
            remove_old(folder.parent)


class _CacheFiles(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012  # as Numba declares it


class _Cache(FunctionCache):
    """Numba's cache, where files that cannot be read or written are as if there were none."""

    _impl_class = _CacheFiles

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        loaded = None
        with suppress(OSError):
            try:
                loaded = super().load_overload(sig, target_context)
            except (EOFError, pickle.UnpicklingError):  # the machine went down as it was written
                self.flush()
        # Two processes that wrote at once may have given one file to two signatures.
        is_wanted = loaded is not None and loaded.signature.args == normalize_signature(sig)[0]
        return loaded if is_wanted else None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):
            super().save_overload(sig, data)


def _cached(dispatcher: Any) -> Any:
    """Let a compiled function be kept, as ``cache=True`` does, in our folder if there is one."""
    if not numba.config.DISABLE_JIT:
        with suppress(RuntimeError):  # no locator knows a place
            dispatcher._cache = _Cache(dispatcher.py_func)
    return dispatcher


_FOLDER: Path | None = None
with suppress(RuntimeError):
    _FOLDER = cache_folder()
