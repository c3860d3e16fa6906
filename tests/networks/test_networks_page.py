"""The page that tells of every network is what the registry says today."""

import sys

import pytest
from conftest import REPOSITORY

from merec_hpc.networks.registry import NETWORKS, frame_networks


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    from make_networks import networks_text

    sys.modules.pop("make_networks")
    return networks_text()


def test_page_is_what_the_registry_says(text: str) -> None:
    written = (REPOSITORY / "docs" / "networks.md").read_text(encoding="utf-8")
    assert written == text, "make docs writes it again"


def test_page_tells_of_every_network_its_terms_and_digest(text: str) -> None:
    for name, known in NETWORKS.items():
        assert f"\n## {name}\n" in text
        if known.weights:
            assert known.weights.sha256 in text
            assert known.weights.licence in text


def test_configuration_names_every_network_that_reads_frames() -> None:
    config = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    comment = config.partition("  # With weights in a package:")[2].partition("  network:")[0]
    assert not [name for name in frame_networks() if name not in comment]
