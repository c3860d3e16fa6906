"""Marks a file that a process is making, so that others see whether the process still runs."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from merec_hpc.files.atomic import is_running, published


@dataclass(frozen=True)
class Mark:
    """The process that is making a file."""

    host: str
    pid: int
    started: str
    """When the process started, as its host counts; numbers of processes are used again."""

    @property
    def is_here(self) -> bool:
        """Whether the process is one of this host."""
        return self.host == socket.gethostname()

    @property
    def runs(self) -> bool:
        """Whether the process still runs; only its own host knows."""
        return self.is_here and is_running(self.pid) and _started(self.pid) == self.started


@contextmanager
def marked_running(path: Path) -> Iterator[None]:
    """Say in ``{path}.running`` that this process is making a file, until it stops doing so.

    The mark goes whatever ends the work, except a signal that cannot be caught.
    """
    pid = os.getpid()
    mark = Mark(socket.gethostname(), pid, _started(pid) or "")
    with published(_beside(path)) as partial:
        partial.write_text(json.dumps(asdict(mark)))
    try:
        yield
    finally:
        _beside(path).unlink(missing_ok=True)


def read_mark(path: Path) -> Mark | None:
    """Return the mark of a file, or ``None`` if nobody has said to be making it."""
    try:
        return Mark(**json.loads(_beside(path).read_text()))
    except (OSError, ValueError, TypeError):  # none, or not ours
        return None


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".running")


def _started(pid: int) -> str | None:
    """Return when a process started, "" where the system does not say, ``None`` of a dead one."""
    if not Path("/proc/self/stat").exists():
        return ""
    try:
        # After the name in brackets, which may hold anything.
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if told[0] in "ZX" else told[19]
