"""Shows how far long work has come: a bar on a terminal, lines in a log."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track as bar

log = logging.getLogger(__name__)
Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10.0


def track(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yield the items and show how many of ``total`` are done."""
    if sys.stderr.isatty():
        yield from bar(items, description, total, console=Console(stderr=True))
        return
    start = said = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - said > SECONDS_BETWEEN_LINES or done == total:
            said = now
            log.info("%s: %d of %d, %.0f s", description, done, total, now - start)
