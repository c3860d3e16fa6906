"""Paper 1's Table I of what is on disk."""

from pathlib import Path

from dataset import releases

from merec_hpc.config.datasets import Casme2Settings
from merec_hpc.dataset.catalog import list_clips
from merec_hpc.dataset.summary import DatasetRow, summarise


def test_a_dataset_is_described_by_what_lies_there(tmp_path: Path) -> None:
    releases.casme2(tmp_path)
    listing = list_clips(tmp_path, Casme2Settings())
    (tmp_path / "CASME2_RAW_selected" / "sub26" / "EP08_1" / "img9.jpg").write_bytes(b"broken")
    assert summarise("casme2", tmp_path, listing.clips, listing.classes) == DatasetRow(
        dataset="casme2",
        samples=4,
        subjects=4,
        fps="200",
        image_size="16x12, unreadable",
        classes="happiness 1, disgust 1, repression 1, surprise 0, others 1",
    )
