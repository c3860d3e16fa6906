import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merec_hpc import __version__
from merec_hpc.errors import MerecError
from merec_hpc.store import writing
from merec_hpc.store.reading import opened_store, read_recorded
from merec_hpc.store.schema import FILES, ArraySpec, FileSpec, describe_formats
from merec_hpc.store.writing import write_store

SPEC = FileSpec(
    "trial",
    3,
    (
        ArraySpec("values", ("clip", "feature"), "float", "Some values."),
        ArraySpec("labels", ("clip",), "integer", "Some labels."),
        ArraySpec("names", ("feature",), "text", "Some names."),
        ArraySpec("masks", ("clip", "feature"), "bits", "Some masks."),
    ),
)
# HDF5 keeps texts as UTF-8 that ends at a zero byte.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def _arrays(n_clips: int = 3, n_features: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {
        "values": rng.normal(size=(n_clips, n_features)).astype(np.float32),
        "labels": np.arange(n_clips),
        "names": np.array([f"feature {number}" for number in range(n_features)]),
        "masks": rng.random((n_clips, n_features)) < 0.5,
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is as it should be."""
    write_store(tmp_path / "trial.h5", SPEC, _arrays(), {"settings": '{"a": 1}'})
    return tmp_path / "trial.h5"


def _read(path: Path, spec: FileSpec = SPEC) -> Mapping[str, Any]:
    with opened_store(path, spec) as store:
        return {array.name: store.array(array.name) for array in spec.arrays}


def _replace(path: Path, name: str, values: Any) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_dataset(name, data=values)


def test_what_is_written_is_read(path: Path) -> None:
    found = _read(path)
    for name, values in _arrays().items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


@settings(deadline=None, max_examples=40)
@given(n_clips=st.integers(0, 4), n_features=st.integers(0, 30), seed=st.integers(0, 1000))
def test_masks_of_any_length_are_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, n_clips: int, n_features: int, seed: int
) -> None:
    spec = FileSpec("trial", 1, SPEC.arrays[3:])
    masks = np.random.default_rng(seed).random((n_clips, n_features)) < 0.5
    path = tmp_path_factory.mktemp("bits", numbered=True) / "trial.h5"
    write_store(path, spec, {"masks": masks}, {})
    np.testing.assert_array_equal(_read(path, spec)["masks"], masks)


@settings(deadline=None, max_examples=40)
@given(texts=st.lists(TEXTS, max_size=5))
def test_texts_of_any_script_are_read_as_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    spec = FileSpec("trial", 1, SPEC.arrays[2:3])
    path = tmp_path_factory.mktemp("texts", numbered=True) / "trial.h5"
    write_store(path, spec, {"names": np.array(texts, np.str_)}, {})
    found = _read(path, spec)["names"]
    assert found.tolist() == texts
    assert found.dtype.kind == "U"


def test_masks_take_a_bit_each(path: Path) -> None:
    with h5py.File(path) as file:
        assert file["masks"].dtype == np.uint8
        assert file["masks"].shape == (3, 1)


def test_file_says_what_made_it(path: Path) -> None:
    with opened_store(path, SPEC) as store:
        assert (store.file.attrs["kind"], store.version) == (b"trial", 3)
        software = store.attribute("software")
        assert store.attribute("settings") == '{"a": 1}'
    assert software["merec_hpc"] == __version__
    assert software["numpy"] == np.__version__


def test_arrays_say_what_they_mean(path: Path) -> None:
    with h5py.File(path) as file:
        for array in SPEC.arrays:
            assert file[array.name].attrs["axes"].decode() == ", ".join(array.axes)
            assert file[array.name].attrs["meaning"].decode() == array.meaning


def test_same_content_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.h5"
    write_store(again, SPEC, _arrays(), {"settings": '{"a": 1}'})
    assert again.read_bytes() == path.read_bytes()


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MerecError) as raised:
        _read(tmp_path / "absent.h5")
    assert str(raised.value) == (
        f"{tmp_path / 'absent.h5'}: expected a trial file, found no such file"
    )


def test_other_version_is_refused_with_what_to_do(path: Path) -> None:
    newer = FileSpec("trial", 4, SPEC.arrays)
    with pytest.raises(MerecError) as raised:
        _read(path, newer)
    assert str(raised.value) == (
        f"{path}: format version 4 of trial files expected, found 3; "
        "delete the file to have it made again"
    )


def test_other_kind_is_refused(path: Path) -> None:
    with pytest.raises(MerecError) as raised:
        _read(path, FileSpec("features", 3, SPEC.arrays))
    assert str(raised.value) == f"{path}: a features file expected, found kind trial"


def test_hdf5_of_another_program_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["values"] = np.zeros((2, 2))
    with pytest.raises(MerecError, match=r"other\.h5: a trial file expected, found kind None"):
        _read(tmp_path / "other.h5")


def test_missing_array_is_named_with_those_there_are(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["labels"]
    with pytest.raises(MerecError) as raised:
        _read(path)
    assert str(raised.value) == f"{path}: array 'labels' expected, found masks, names, values"


def test_axes_of_one_name_and_two_lengths_are_refused_with_both(path: Path) -> None:
    _replace(path, "labels", np.arange(4))
    with pytest.raises(MerecError) as raised:
        _read(path)
    assert str(raised.value) == f"{path}:labels: 4 along 'clip', 3 in values"


def test_length_of_masks_counts_bits(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["masks"].attrs["n_bits"] = 7
    with pytest.raises(MerecError) as raised:
        _read(path)
    assert str(raised.value) == f"{path}:masks: 7 along 'feature', 5 in values"


def test_other_number_of_axes_is_refused(path: Path) -> None:
    _replace(path, "values", np.zeros((3, 5, 2)))
    with pytest.raises(MerecError) as raised:
        _read(path)
    message = str(raised.value)
    assert message.startswith(f"{path}:values: axes ('clip', 'feature') expected")
    assert "(3, 5, 2)" in message


@pytest.mark.parametrize(
    ("name", "values"),
    [("names", np.zeros(5)), ("masks", np.zeros((3, 5))), ("labels", np.array([b"a"] * 3))],
)
def test_array_of_another_kind_is_refused(path: Path, name: str, values: Any) -> None:
    _replace(path, name, values)
    with pytest.raises(MerecError) as raised:
        _read(path)
    assert str(raised.value).startswith(f"{path}:{name}: ")


@pytest.mark.parametrize("kept", [0, 40, 2000])
def test_truncated_file_is_refused(path: Path, kept: int) -> None:
    content = path.read_bytes()
    assert len(content) > 2000
    path.write_bytes(content[:kept])
    with pytest.raises(MerecError, match=r"not HDF5 or not complete") as raised:
        _read(path)
    assert str(path) in str(raised.value)


def test_file_that_is_not_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trial.h5").write_text("clip\tsubject\n")
    with pytest.raises(MerecError, match=r"expected a trial file, found one that is not HDF5"):
        _read(tmp_path / "trial.h5")


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=r"expected a trial file, found no such file"):
        _read(tmp_path)


def test_error_while_writing_leaves_no_file(tmp_path: Path) -> None:
    arrays = _arrays()
    del arrays["masks"]  # the last one: the others are written by then
    with pytest.raises(KeyError, match="masks"):
        write_store(tmp_path / "trial.h5", SPEC, arrays, {})
    assert list(tmp_path.iterdir()) == []


def test_error_while_writing_keeps_the_former_file(path: Path) -> None:
    before = path.read_bytes()
    arrays = _arrays(n_clips=9) | {"names": np.array(["two", "words\0cut"])}
    with pytest.raises(ValueError, match="NULL"):
        write_store(path, SPEC, arrays, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_error_in_a_reader_closes_the_file(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), opened_store(path, SPEC) as store:
        raise ZeroDivisionError
    assert not store.file


def test_every_array_of_a_file_is_named_once() -> None:
    for spec in FILES:
        names = [array.name for array in spec.arrays]
        assert len(set(names)) == len(names)
    assert len({spec.kind for spec in FILES}) == len(FILES)


def test_description_has_a_row_per_array() -> None:
    rows = describe_formats().splitlines()
    for spec in FILES:
        assert f"## {spec.kind} (version {spec.version})" in rows
        for array in spec.arrays:
            start = f"| `{array.name}` | {', '.join(array.axes)} | {array.kind} |"
            assert sum(row.startswith(start) for row in rows) >= 1


def test_documentation_of_the_formats_is_that_of_the_code() -> None:
    documentation = Path(__file__).parents[2] / "docs" / "data_formats.md"
    assert describe_formats().strip() in documentation.read_text(encoding="utf-8")


def test_attributes_are_json(path: Path) -> None:
    with h5py.File(path) as file:
        assert json.loads(file.attrs["settings"]) == '{"a": 1}'


def test_what_made_a_file_is_read_without_its_arrays(path: Path) -> None:
    recorded = read_recorded(path)
    assert recorded["settings"] == '{"a": 1}'
    assert recorded["kind"] == "trial"
    assert recorded["software"]["merec_hpc"] == __version__


def test_nothing_is_recorded_in_what_is_not_ours(tmp_path: Path) -> None:
    assert read_recorded(tmp_path / "absent.h5") == {}
    (tmp_path / "torn.h5").write_bytes(b"torn")
    assert read_recorded(tmp_path / "torn.h5") == {}


def test_software_is_that_which_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "opencv-python-headless":  # replaced by the one with contributed modules
            raise PackageNotFoundError(name)
        return "1.2"

    monkeypatch.setattr(writing.metadata, "version", version)
    write_store(tmp_path / "x.h5", SPEC, _arrays(), {})
    software = read_recorded(tmp_path / "x.h5")["software"]
    assert software["opencv-contrib-python-headless"] == software["numpy"] == "1.2"
    assert "opencv-python-headless" not in software
