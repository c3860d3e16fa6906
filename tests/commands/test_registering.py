"""The commands from a dataset to registered faces and the pictures of them, in this process."""

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from merec_hpc.commands import (
    audit,
    compute_flow,
    draw_contact_sheets,
    extract_features,
    find_apexes,
    index_dataset,
    interpolate_clips,
    register_faces,
)
from merec_hpc.dataset.catalog import read_catalog, write_catalog
from merec_hpc.dataset.listing import Fault
from merec_hpc.errors import MerecError
from merec_hpc.faces.contact_sheet import TILE_PX
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Failure
from merec_hpc.store.clips import iterate_clips
from merec_hpc.store.faces import iterate_faces, read_face_index
from merec_hpc.store.features import read_features
from merec_hpc.store.flow import iterate_flow, read_flow_names
from merec_hpc.store.reading import read_recorded

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
    """A folder with the catalogs, and the faces of s0, whose second clip is left out."""
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
    find_apexes.run(made / "catalog.tsv", [made / "faces.h5"], "{}", made / "clips.tsv")
    return made


def _draw(made: Path, catalog: str = "clips.tsv") -> list[NDArray[np.uint8]]:
    """Return both sheets."""
    sheets = (made / "faces.png", made / "clips.png")
    draw_contact_sheets.run(
        catalog=made / catalog,
        subject="s0",
        faces=made / "faces.h5",
        failures=made / "failures.tsv",
        faces_sheet=sheets[0],
        clips_sheet=sheets[1],
        interpolation='{"n_frames": 4}',
    )
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in sheets]


def test_clips_stand_on_the_sheets_and_behind_them_those_left_out(made: Path) -> None:
    faces, clips = _draw(made)
    assert faces.shape == (3 * ROW_PX, 6 * TILE_PX, 3)
    assert clips.shape == (2 * ROW_PX, 5 * TILE_PX, 3)
    # The last of three registered frames, framed where it is the apex, then what moves.
    inside = slice(3 * TILE_PX + 4, 4 * TILE_PX - 4)
    assert (faces[4 : TILE_PX - 4, inside] == 200).all()
    np.testing.assert_allclose(faces[ROW_PX + 4 : ROW_PX + TILE_PX - 4, inside], 200, atol=6)
    assert (faces[2 * ROW_PX : 2 * ROW_PX + TILE_PX, :TILE_PX] == 0).all()
    assert (faces[2 * ROW_PX : 2 * ROW_PX + TILE_PX, inside] == 255).all()
    np.testing.assert_allclose(clips[:TILE_PX, 3 * TILE_PX : 4 * TILE_PX], 200, atol=1)


def test_other_labels_change_the_captions_only(made: Path) -> None:
    before = _draw(made)
    clips = [replace(clip, label="another") for clip in read_catalog(made / "clips.tsv")]
    write_catalog(made / "other.tsv", clips)
    for sheet, old in zip(_draw(made, "other.tsv"), before, strict=True):
        tiles = np.arange(len(sheet)) % ROW_PX < TILE_PX
        np.testing.assert_array_equal(sheet[tiles], old[tiles])
        assert (sheet[~tiles] != old[~tiles]).any()


def test_stores_of_other_clips_are_refused(made: Path) -> None:
    clips = read_catalog(made / "clips.tsv")
    write_catalog(made / "other.tsv", [clip for clip in clips if clip.clip != "c4"])
    with pytest.raises(MerecError, match=r"clip 'c4' of subject 's0' expected, found no such row"):
        _draw(made, "other.tsv")
    with pytest.raises(MerecError, match=r"clip 'c4' of .*faces\.h5 expected, found no such row"):
        find_apexes.run(made / "other.tsv", [made / "faces.h5"], "{}", made / "again.tsv")
    with pytest.raises(
        MerecError, match="an apex of frames 0 to 2 of clip 'c0' expected, found no"
    ):
        _draw(made, "catalog.tsv")


def test_every_clip_that_is_left_gets_an_apex_and_says_how(made: Path) -> None:
    clips = read_catalog(made / "clips.tsv")
    assert [(clip.clip, clip.apex_source) for clip in clips] == [
        ("c0", "difference"),
        ("c4", "difference"),
    ]
    assert all(clip.apex in (1, 2) for clip in clips)
    for threads in (1, 2):
        again = made / f"{threads}.tsv"
        faces = [made / "faces.h5"]
        find_apexes.run(made / "catalog.tsv", faces, '{"method": "flow"}', again, threads)
    assert (made / "1.tsv").read_bytes() == (made / "2.tsv").read_bytes()
    assert {clip.apex_source for clip in read_catalog(made / "1.tsv")} == {"flow"}


def test_a_given_apex_is_kept_and_its_features_follow_it(made: Path) -> None:
    found = []
    for apex in (1, 2):
        given = [
            replace(clip, apex=apex, apex_source=None)
            for clip in read_catalog(made / "catalog.tsv")
        ]
        write_catalog(made / "given.tsv", given)
        find_apexes.run(made / "given.tsv", [made / "faces.h5"], "{}", made / "kept.tsv")
        kept = read_catalog(made / "kept.tsv")
        assert {(clip.apex, clip.apex_source) for clip in kept} == {(apex, "sheet")}
        # The same store: what is kept beside it of other apexes is no part of it.
        extract_features.run(
            made / "kept.tsv",
            [made / "faces.h5"],
            '{"method": "farneback", "outputs": ["magnitude"], "grid": 2}',
            made / "flow.h5",
            extractor="flow",
        )
        found.append(read_features(made / "flow.h5").values)
    assert (found[0] != found[1]).any()


def test_features_record_what_they_are_made_of(made: Path) -> None:
    catalog, faces, store = made / "clips.tsv", made / "faces.h5", made / "flow.h5"
    (made / "audit.tsv").write_text("level\tclip\n")
    with pytest.raises(MerecError, match=r"absent.tsv: a table of faults expected, found no such"):
        extract_features.run(
            catalog, [faces], "{}", store, extractor="flow", audit=made / "absent.tsv"
        )
    extract_features.run(catalog, [faces], "{}", store, extractor="flow", audit=made / "audit.tsv")
    recorded = read_recorded(store)
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (catalog, faces, made / "audit.tsv")
    }
    assert recorded["catalog_sha256"] == digests["clips.tsv"]
    assert recorded["audit_sha256"] == digests["audit.tsv"]
    assert recorded["faces_sha256"] == {"faces.h5": digests["faces.h5"]}


def test_flow_is_written_as_images_for_networks(made: Path) -> None:
    compute_flow.run(made / "clips.tsv", made / "faces.h5", "{}", made / "flow.h5")
    assert read_flow_names(made / "flow.h5").tolist() == ["c0", "c4"]
    assert [image.shape for image in iterate_flow(made / "flow.h5", 224)] == [(224, 224, 3)] * 2


def test_clips_are_kept_for_those_who_want_to_look(made: Path) -> None:
    interpolate_clips.run(made / "faces.h5", '{"n_frames": 4}', made / "c.h5", '{"keep": true}')
    first, _ = iterate_clips(made / "c.h5")
    assert first.shape == (4, 32, 32, 3)
    np.testing.assert_allclose(first[[0, -1]].mean(axis=(1, 2, 3)), [0, 200], atol=1)


def test_a_clip_of_one_frame_is_refused_where_something_should_move(made: Path, root: Path) -> None:
    (root / FOLDERS[0] / "1.png").unlink()
    (root / FOLDERS[0] / "2.png").unlink()
    register_faces.run(
        catalog=made / "catalog.tsv",
        root=root,
        subject="s0",
        settings=WHOLE_IMAGES,
        output=made / "faces.h5",
        failures=made / "failures.tsv",
    )
    find_apexes.run(made / "catalog.tsv", [made / "faces.h5"], "{}", made / "clips.tsv")
    assert read_catalog(made / "clips.tsv")[0].apex_source == "single"
    for extractor in ("flow", "lbp"):
        with pytest.raises(MerecError, match=r"^clip 'c0': two frames or more .* found 1$"):
            extract_features.run(
                made / "clips.tsv", [made / "faces.h5"], "{}", made / "x.h5", extractor=extractor
            )
    assert not (made / "x.h5").exists()
    _draw(made)


def test_damaged_landmark_network_is_one_line_and_ends_no_process(
    weights: Path, tmp_path: Path
) -> None:
    """OpenCV would end the process on some of them."""
    damaged = bytearray((weights / "face_mesh").read_bytes())
    damaged[20] ^= 255
    (tmp_path / "face_mesh").write_bytes(damaged)
    with pytest.raises(MerecError, match=r"sha256 1055cb9d\w+ expected for face_mesh, found"):
        register_faces.run(
            tmp_path / "catalog.tsv",
            tmp_path,
            "s0",
            "{}",
            tmp_path / "faces.h5",
            tmp_path / "failures.tsv",
            tmp_path / "face_mesh",
        )
    assert not (tmp_path / "faces.h5").exists()
