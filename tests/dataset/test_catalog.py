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
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.schemes import SCHEMES
from merec_hpc.dataset.sources import Folder, Images, Source, TableRow, Video
from merec_hpc.errors import MerecError

CMU_FACES_3 = SCHEMES["cmu-faces-3"].classes
SMIC_3 = SCHEMES["smic-3"].classes

CLIPS = [
    Clip(
        "s01_ne_01", "s01", "negative", Folder("HS/s1/micro/negative/s1_ne_01"), frame_rate_hz=100.0
    ),
    Clip("c2", "006", "happy", Images(("faces/a.pgm", "faces/b.pgm")), onset=0, apex=4, offset=9),
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog.tsv", CLIPS)
    assert read_catalog(tmp_path / "catalog.tsv") == CLIPS


def test_catalog_keeps_the_order_of_the_clips(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog.tsv", CLIPS[::-1])
    assert read_catalog(tmp_path / "catalog.tsv") == CLIPS[::-1]


def test_kind_stands_beside_the_path_and_the_other_columns_keep_their_order(
    tmp_path: Path,
) -> None:
    write_catalog(tmp_path / "catalog.tsv", CLIPS)
    header, first, second = (tmp_path / "catalog.tsv").read_text().splitlines()
    assert header.split("\t") == [
        *("clip", "subject", "label", "path", "kind"),
        *("onset", "apex", "offset", "frame_rate_hz", "split", "apex_source"),
    ]
    assert first.split("\t")[3:5] == ["HS/s1/micro/negative/s1_ne_01", "folder"]
    assert second.split("\t")[3:5] == ["faces/a.pgm;faces/b.pgm", "images"]


@pytest.mark.parametrize(
    "source",
    [
        Folder("a;b#3"),
        Folder("clip.avi"),
        Video("take #2; again.avi"),
        Images(("50%; left.png", "a#1.png", "%3B.png")),
        Images(("a;b.png",)),
        TableRow("fer#1;2013.csv", 7),
    ],
    ids=lambda source: source.text,
)
def test_any_path_is_read_as_written(tmp_path: Path, source: Source) -> None:
    clips = [Clip("c", "s", "x", source)]
    write_catalog(tmp_path / "catalog.tsv", clips)
    assert read_catalog(tmp_path / "catalog.tsv") == clips


def test_catalog_without_kinds_is_read_by_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "film.avi").mkdir()
    (tmp_path / "a.png").touch()
    paths = ("film.avi", "other.avi", "a.png", "a.png;b.png", "fer2013.csv#7", "frames/a")
    rows = [f"c{number}\ts1\tx\t{path}\t3" for number, path in enumerate(paths)]
    text = "\n".join(["clip\tsubject\tlabel\tpath\tonset", *rows])
    (tmp_path / "catalog.tsv").write_text(text + "\n")
    clips = read_catalog(tmp_path / "catalog.tsv", tmp_path)
    assert [clip.source for clip in clips] == [
        Folder("film.avi"),
        Video("other.avi"),
        Images(("a.png",)),
        Images(("a.png", "b.png")),
        TableRow("fer2013.csv", 7),
        Folder("frames/a"),
    ]
    assert {clip.onset for clip in clips} == {3}


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("a", "film", "kind folder, images, video, table_row expected of clip 'c', found 'film'"),
        ("a.csv", "table_row", "a path like file.csv#7 expected of clip 'c', found 'a.csv'"),
        ("a.csv#x", "table_row", "a path like file.csv#7 expected of clip 'c', found 'a.csv#x'"),
    ],
)
def test_kind_or_path_that_is_none_is_refused(
    tmp_path: Path, path: str, kind: str, message: str
) -> None:
    catalog = tmp_path / "catalog.tsv"
    catalog.write_text(f"clip\tsubject\tlabel\tpath\tkind\nc\ts\tx\t{path}\t{kind}\n")
    with pytest.raises(MerecError) as caught:
        read_catalog(catalog)
    assert str(caught.value) == f"{catalog}: {message}"


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
    assert [clip.source.text for clip in listing.clips] == [f"{camera}/s1/micro/surprise/s1_sur_01"]
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


def test_clip_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    clip = Clip("s1_1", "s1", "a", Folder("x"))
    write_catalog(tmp_path / "catalog.tsv", [clip, clip])
    with pytest.raises(MerecError, match="each clip once expected, found 's1_1' 2 times"):
        read_catalog(tmp_path / "catalog.tsv")


def test_apex_of_a_sheet_is_the_sheet_s(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    rows = ["clip,subject,label,path,onset,apex,offset", "a,s1,x,a,1,3,5", "b,s1,x,b,1,,5"]
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    first, second = list_clips(tmp_path, ManifestSettings()).clips
    assert (first.apex, first.apex_source) == (3, "sheet")
    assert (second.apex, second.apex_source) == (None, None)
    write_catalog(tmp_path / "catalog.tsv", [first, second])
    assert read_catalog(tmp_path / "catalog.tsv") == [first, second]


def test_catalog_without_sources_of_apexes_is_read(tmp_path: Path) -> None:
    write_catalog(tmp_path / "catalog.tsv", CLIPS)
    lines = (tmp_path / "catalog.tsv").read_text().splitlines()
    former = ["\t".join(line.split("\t")[:-1]) for line in lines]
    (tmp_path / "catalog.tsv").write_text("\n".join(former) + "\n")
    assert read_catalog(tmp_path / "catalog.tsv") == CLIPS
