"""Signals are noted, and handled as before afterwards."""

import os
import signal

import pytest

from merec_hpc.parallel.signals import SIGNALS, noted_signals


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_and_nothing_else_happens(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with noted_signals() as stop:
        assert not stop
        os.kill(os.getpid(), number)
        assert stop
        assert stop.signal == number
    assert signal.getsignal(number) == before


def test_ctrl_c_interrupts_and_is_noted_where_the_exception_is_lost() -> None:
    before = signal.getsignal(signal.SIGINT)
    with noted_signals() as stop:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) == before
