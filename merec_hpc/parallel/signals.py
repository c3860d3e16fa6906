"""Notes the signals by which a scheduler asks a process to end soon."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """Whether one of the signals has come."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Remember a signal; work ends where it next looks."""
        self.signal = signal.Signals(number)

    def note_and_interrupt(self, number: int, frame: FrameType | None) -> None:
        """Interrupt at once, and remember it: an exception that comes in a finaliser is lost."""
        self.note(number, frame)
        signal.default_int_handler(number, frame)


@contextmanager
def noted_signals() -> Iterator[StopRequest]:
    """Note SIGTERM and SIGUSR1 instead of dying of them, and SIGINT as well; in the main thread."""
    request = StopRequest()
    former = {number: signal.signal(number, request.note) for number in SIGNALS}
    former[signal.SIGINT] = signal.signal(signal.SIGINT, request.note_and_interrupt)
    try:
        yield request
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
