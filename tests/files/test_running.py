"""A mark tells whether the process that is making a file still runs."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from merec_hpc.files.running import marked_running, read_mark

WAITS = """
import sys, time
from pathlib import Path
from merec_hpc.files.running import marked_running
with marked_running(Path(sys.argv[1])):
    print("marked", flush=True)
    time.sleep(60)
"""


def test_a_mark_lasts_as_long_as_the_work(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "s01.h5"
    assert read_mark(path) is None
    with marked_running(path):
        mark = read_mark(path)
        assert mark is not None
        assert (mark.host, mark.pid) == (socket.gethostname(), os.getpid())
        assert mark.is_here
        assert mark.runs
    assert list(path.parent.iterdir()) == []


def test_a_mark_goes_with_an_error(tmp_path: Path) -> None:
    path = tmp_path / "s01.h5"
    with pytest.raises(KeyboardInterrupt), marked_running(path):
        raise KeyboardInterrupt
    assert read_mark(path) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_was_ended_does_not_run(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "s01.h5"
    with subprocess.Popen(
        [sys.executable, "-c", WAITS, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        mark = read_mark(path)
        assert mark is not None
        assert mark.runs
        process.send_signal(number)
        process.wait()
        assert not mark.runs
        assert (read_mark(path) is None) == (number == signal.SIGINT)


def test_another_process_of_the_same_number_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "s01.h5"
    told = {"host": socket.gethostname(), "pid": os.getpid(), "started": "long ago"}
    path.with_name("s01.h5.running").write_text(json.dumps(told))
    mark = read_mark(path)
    assert mark is not None
    assert not mark.runs


def test_of_another_host_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "s01.h5"
    told = {"host": "elsewhere", "pid": os.getpid(), "started": ""}
    path.with_name("s01.h5.running").write_text(json.dumps(told))
    mark = read_mark(path)
    assert mark is not None
    assert not mark.is_here
    assert not mark.runs


def test_a_torn_mark_is_none(tmp_path: Path) -> None:
    tmp_path.joinpath("s01.h5.running").write_text('{"host": "a"')
    assert read_mark(tmp_path / "s01.h5") is None
