"""Images that stand in two official splits."""

from pathlib import Path

import cv2
import numpy as np
from dataset import releases

from merec_hpc.config.datasets import Fer2013Settings, ManifestSettings
from merec_hpc.dataset.catalog import list_clips
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.duplicates import doubled_across_splits
from merec_hpc.dataset.sources import Images


def test_an_image_of_training_in_the_test_is_found(tmp_path: Path) -> None:
    releases.fer2013(tmp_path)
    clips = list_clips(tmp_path, Fer2013Settings()).clips
    (fault,) = doubled_across_splits(tmp_path, clips)
    assert (fault.clip, fault.consequence) == ("fer00003", "noted")
    assert fault.fault == "the same image as fer00001 of split train (split test)"


def test_small_changes_are_found_and_other_faces_are_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)

    def face() -> np.ndarray:  # type: ignore[type-arg]
        coarse = rng.integers(40, 215, size=(6, 6, 3)).astype(np.uint8)
        return cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC)

    first, second = face(), face()
    brighter = np.clip(cv2.GaussianBlur(first, (5, 5), 0).astype(int) + 8, 0, 255).astype(np.uint8)
    pictures = {"a": first, "b": second, "c": brighter, "d": face(), "e": first}
    for name, picture in pictures.items():
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    splits = {"a": "train", "b": "train", "c": "test", "d": "test", "e": "train"}
    clips = [Clip(n, "unknown", "x", Images((f"{n}.jpg",)), split=splits[n]) for n in pictures]
    found = doubled_across_splits(tmp_path, clips)
    # "e" doubles "a" within a split, and is found against "c" of the other one.
    assert [fault.clip for fault in found] == ["c", "e"]
    assert found[0].fault.startswith("the same image as a of split train")


def test_splits_of_a_manifest_are_compared(tmp_path: Path) -> None:
    for name in ("a", "b"):
        releases.image(tmp_path / f"{name}.png", level=9)
    header = "clip,subject,label,path,onset,apex,offset,split\n"
    rows = "a,s1,sad,a.png,,,,train\nb,s2,sad,b.png,,,,test\n"
    (tmp_path / "manifest.csv").write_text(header + rows)
    clips = list_clips(tmp_path, ManifestSettings()).clips
    (fault,) = doubled_across_splits(tmp_path, clips)
    assert fault.fault == "the same image as a of split train (split test)"
