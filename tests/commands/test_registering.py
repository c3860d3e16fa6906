"""The commands from a dataset to registered faces and the pictures of them, in this process."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.commands import (
    audit,
    draw_contact_sheets,
    index_dataset,
    interpolate_clips,
    register_faces,
)
from merec_hpc.config.faces import InterpolationSettings
from merec_hpc.dataset.catalog import read_catalog, write_catalog
from merec_hpc.dataset.listing import Fault
from merec_hpc.errors import MerecError
from merec_hpc.faces.contact_sheet import TILE_PX
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Failure, InterpolatedClips
from merec_hpc.store.clips import write_clips
from merec_hpc.store.faces import iterate_faces, read_face_index

CAPTION_PX = 34
ROW_PX = TILE_PX + CAPTION_PX
WHOLE_IMAGES = '{"registration": "none", "size_px": 32}'  # needs no weights
FOLDERS = ("take #1", "a;b", "x.csv#7")
VIDEOS = ("film #2.avi", "left;right.avi")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A manifest of folders and videos of three frames with names that need care."""
    frames = [np.full((24, 32, 3), grey, np.uint8) for grey in (0, 100, 200)]
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        for number, frame in enumerate(frames):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), frame)
    for name in VIDEOS:
        codec = cv2.VideoWriter.fourcc(*"MJPG")
        video = cv2.VideoWriter(str(tmp_path / name), codec, 25.0, (32, 24))
        for frame in frames:
            video.write(frame)
        video.release()
    rows = [f"c{place},s{place % 2},x,{path},,," for place, path in enumerate(FOLDERS + VIDEOS)]
    header = "clip,subject,label,path,onset,apex,offset"
    (tmp_path / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")
    return tmp_path


def test_paths_with_number_signs_and_semicolons_work_from_audit_to_registration(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = tmp_path_factory.mktemp("made")
    audit.run("manifest", root, output=made / "faults.tsv", images=True)
    assert read_rows(made / "faults.tsv", Fault) == []
    index_dataset.run("manifest", root, made / "catalog.tsv", made / "audit.tsv")
    assert read_rows(made / "audit.tsv", Fault) == []
    for subject, n_clips in (("s0", 3), ("s1", 2)):
        faces, failures = made / f"{subject}.h5", made / f"{subject}.tsv"
        register_faces.run(
            catalog=made / "catalog.tsv",
            root=root,
            subject=subject,
            settings=WHOLE_IMAGES,
            output=faces,
            failures=failures,
        )
        assert read_rows(failures, Failure) == []
        assert len(read_face_index(faces)[0]) == n_clips
        assert [len(clip) for clip in iterate_faces(faces)] == [3] * n_clips


@pytest.fixture
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the catalog, and faces and clips of s0, whose second clip is left out."""
    made = tmp_path_factory.mktemp("made")
    index_dataset.run("manifest", root, made / "catalog.tsv", made / "audit.tsv")
    (root / FOLDERS[2] / "1.png").write_bytes(b"broken")
    register_faces.run(
        catalog=made / "catalog.tsv",
        root=root,
        subject="s0",
        settings=WHOLE_IMAGES,
        output=made / "faces.h5",
        failures=made / "failures.tsv",
    )
    interpolate_clips.run(made / "faces.h5", '{"n_frames": 4}', made / "clips.h5")
    return made


def _draw(made: Path, catalog: str = "catalog.tsv") -> list[NDArray[np.uint8]]:
    """Return both sheets."""
    sheets = (made / "faces.png", made / "clips.png")
    draw_contact_sheets.run(
        catalog=made / catalog,
        subject="s0",
        faces=made / "faces.h5",
        failures=made / "failures.tsv",
        clips=made / "clips.h5",
        faces_sheet=sheets[0],
        clips_sheet=sheets[1],
    )
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in sheets]


def test_clips_stand_on_the_sheets_in_the_catalog_s_order(made: Path) -> None:
    faces, clips = _draw(made)
    assert faces.shape == (3 * ROW_PX, 5 * TILE_PX, 3)
    assert clips.shape == (2 * ROW_PX, 5 * TILE_PX, 3)
    # The last of three registered frames, then nothing beside the clip that is left out.
    last = slice(3 * TILE_PX, 4 * TILE_PX)
    assert (faces[:TILE_PX, last] == 200).all()
    assert (faces[ROW_PX : ROW_PX + TILE_PX, :TILE_PX] == 0).all()
    assert (faces[ROW_PX : ROW_PX + TILE_PX, last] == 255).all()
    np.testing.assert_allclose(faces[2 * ROW_PX : -CAPTION_PX, last], 200, atol=6)
    np.testing.assert_allclose(clips[:TILE_PX, last], 200, atol=1)


def test_other_labels_change_the_captions_only(made: Path) -> None:
    before = _draw(made)
    clips = [replace(clip, label="another") for clip in read_catalog(made / "catalog.tsv")]
    write_catalog(made / "other.tsv", clips)
    for sheet, old in zip(_draw(made, "other.tsv"), before, strict=True):
        tiles = np.arange(len(sheet)) % ROW_PX < TILE_PX
        np.testing.assert_array_equal(sheet[tiles], old[tiles])
        assert (sheet[~tiles] != old[~tiles]).any()


def test_stores_of_other_clips_are_refused(made: Path) -> None:
    clips = read_catalog(made / "catalog.tsv")
    write_catalog(made / "other.tsv", [clip for clip in clips if clip.clip != "c4"])
    with pytest.raises(MerecError, match="clip 'c4' of subject 's0' expected, found no such row"):
        _draw(made, "other.tsv")
    write_clips(
        made / "clips.h5",
        InterpolatedClips(np.zeros((1, 4, 32, 32, 3), np.float32), np.array(["c0"])),
        InterpolationSettings(n_frames=4),
    )
    with pytest.raises(MerecError, match=r"clips\.h5: the clips of .*faces\.h5 expected"):
        _draw(made)
