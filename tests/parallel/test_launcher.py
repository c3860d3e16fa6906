import pytest

from merec_hpc.parallel.launcher import RANK_VARIABLES, launched_rank


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """A launcher around pytest is none around the test."""
    for name in RANK_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_a_launcher_there_is_no_rank() -> None:
    assert launched_rank() is None


@pytest.mark.parametrize("name", RANK_VARIABLES)
def test_the_rank_is_what_the_launcher_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "3")
    assert launched_rank() == 3
