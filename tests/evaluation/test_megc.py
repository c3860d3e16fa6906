"""Logs of the challenge: written as the format says, and read back."""

from pathlib import Path

import pytest

from merec_hpc.errors import MerecError
from merec_hpc.evaluation.megc import LoggedClip, logged_clips, read_log, write_log
from merec_hpc.evaluation.predictions import Prediction


def _prediction(subject: str, clip: str, label: str, predicted: str) -> Prediction:
    return Prediction("genetic", "linear_svm", 0, subject, subject, clip, label, predicted)


PREDICTIONS = [
    _prediction("casme2_sub01", "casme2_sub01_EP02_01f", "positive", "negative"),
    _prediction("casme2_sub01", "casme2_sub01_EP03_02", "surprise", "surprise"),
    _prediction("smic_s03", "smic_s03_ne_01", "negative", "negative"),
]
LOG = """casme2 sub01
sub01_EP02_01f 1 0
sub01_EP03_02 2 2

smic s03
s03_ne_01 0 0
"""


def test_log_names_databases_and_numbers_classes(tmp_path: Path) -> None:
    write_log(tmp_path / "log.txt", logged_clips(PREDICTIONS, "all", ("smic", "casme2")))
    assert (tmp_path / "log.txt").read_text() == LOG


def test_log_is_read_as_written(tmp_path: Path) -> None:
    clips = logged_clips(PREDICTIONS, "all", ("smic", "casme2"))
    write_log(tmp_path / "log.txt", clips)
    assert read_log(tmp_path / "log.txt") == clips
    assert clips[0] == LoggedClip("casme2", "sub01", "sub01_EP02_01f", "1", "0")


def test_single_database_keeps_its_subjects(tmp_path: Path) -> None:
    clips = logged_clips([_prediction("s01", "c1", "a", "b")], "vis")
    assert clips == [LoggedClip("vis", "s01", "c1", "0", "1")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one clip expected, found none"),
        ("casme2\nc 1 1\n", "line 1: database and subject expected, found 'casme2'"),
        ("casme2 sub01\nc 1\n", "line 2: clip, class and prediction expected, found 'c 1'"),
    ],
)
def test_mistake_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "log.txt").write_text(text)
    with pytest.raises(MerecError, match=message):
        read_log(tmp_path / "log.txt")
