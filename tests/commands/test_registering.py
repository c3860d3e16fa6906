"""The commands from a dataset to registered faces and the pictures of them, in this process."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from merec_hpc.commands import audit, index_dataset, register_faces
from merec_hpc.dataset.listing import Fault
from merec_hpc.files.rows import read_rows
from merec_hpc.records import Failure
from merec_hpc.store.faces import iterate_faces, read_face_index

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
            contact_sheet=made / f"{subject}.png",
            failures=failures,
        )
        assert read_rows(failures, Failure) == []
        assert len(read_face_index(faces)[0]) == n_clips
        assert [len(clip) for clip in iterate_faces(faces)] == [3] * n_clips
