from pathlib import Path

import pytest

from merec_hpc.config.datasets import (
    DATASET_SETTINGS,
    CmuFacesSettings,
    ManifestSettings,
    SimulatedSettings,
    SmicSettings,
)
from merec_hpc.dataset.catalog import list_clips, read_catalog, write_catalog
from merec_hpc.dataset.schemes import SCHEMES
from merec_hpc.errors import MerecError
from merec_hpc.records import Clip

CMU_FACES_3 = SCHEMES["cmu-faces-3"].classes
SMIC_3 = SCHEMES["smic-3"].classes

CLIPS = [
    Clip("s01_ne_01", "s01", "negative", "HS/s1/micro/negative/s1_ne_01", frame_rate_hz=100.0),
    Clip("c2", "006", "happy", "faces/a.pgm;faces/b.pgm", onset=0, apex=4, offset=9),
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog.tsv", CLIPS)
    assert read_catalog(tmp_path / "catalog.tsv") == CLIPS


def test_catalog_keeps_the_order_of_the_clips(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog.tsv", CLIPS[::-1])
    assert read_catalog(tmp_path / "catalog.tsv") == CLIPS[::-1]


@pytest.mark.parametrize("settings", [kind() for kind in DATASET_SETTINGS.values()])
def test_missing_folder_is_named(tmp_path: Path, settings: object) -> None:
    root = tmp_path / "absent"
    with pytest.raises(MerecError) as caught:
        list_clips(root, settings)
    assert str(caught.value) == f"{root}: expected the dataset's folder, found no such folder"


@pytest.mark.parametrize("settings", [kind() for kind in DATASET_SETTINGS.values()])
def test_empty_folder_is_refused_by_every_reader(tmp_path: Path, settings: object) -> None:
    with pytest.raises(MerecError, match="expected"):
        list_clips(tmp_path, settings)


@pytest.mark.parametrize(
    ("settings", "camera"),
    [
        (SmicSettings(camera="HS"), "HS"),
        (SmicSettings(camera="NIR"), "NIR"),
        (SmicSettings(), "VIS"),
        (SimulatedSettings(), "VIS"),
        (SimulatedSettings(preset="hs"), "HS"),
    ],
)
def test_settings_choose_the_camera(tmp_path: Path, settings: object, camera: str) -> None:
    for folder in ("HS", "NIR", "VIS"):
        (tmp_path / folder / "s1" / "micro" / "surprise" / "s1_sur_01").mkdir(parents=True)
    listing = list_clips(tmp_path, settings)
    assert [clip.path for clip in listing.clips] == [f"{camera}/s1/micro/surprise/s1_sur_01"]
    assert listing.classes == SMIC_3


def test_settings_choose_poses_and_eyes(tmp_path: Path) -> None:
    for name in ("an2i_up_sad_open", "an2i_up_sad_sunglasses", "an2i_straight_sad_open"):
        path = tmp_path / "faces" / "an2i" / f"{name}.pgm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    listing = list_clips(tmp_path, CmuFacesSettings(poses=("up",), eyes=("sunglasses",)))
    assert [clip.clip for clip in listing.clips] == ["an2i_up_sad_sunglasses"]
    assert listing.classes == CMU_FACES_3


@pytest.mark.parametrize(
    ("allowed", "classes"), [((), ("happy", "sad")), (("sad", "angry"), ("sad", "angry"))]
)
def test_classes_of_a_manifest_are_those_allowed_or_those_found(
    tmp_path: Path, allowed: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    (tmp_path / "list.csv").write_text(
        "clip,subject,label,path,onset,apex,offset\nc1,s1,sad,a,,,\nc2,s1,happy,b,,,\n"
    )
    listing = list_clips(tmp_path, ManifestSettings(file="list.csv", labels=allowed))
    assert [clip.clip for clip in listing.clips] == ["c1", "c2"]
    assert listing.classes == classes


def test_settings_of_no_dataset_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="no reader for dict"):
        list_clips(tmp_path, {})
