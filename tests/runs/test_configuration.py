"""Configurations are read as Snakemake reads them."""

from pathlib import Path

import pytest
from conftest import REPOSITORY

from merec_hpc.config.whole import Config
from merec_hpc.errors import MerecError
from merec_hpc.runs.configuration import read_config


def test_the_file_of_the_repository_holds_the_defaults() -> None:
    assert read_config([REPOSITORY / "config.yaml"], []) == Config()


def test_later_files_and_keys_prevail_section_by_section(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("experiment: a\ngenetic: {seed: 1, n_islands: 2}\n")
    (tmp_path / "b.yaml").write_text("genetic: {seed: 3}\n")
    read = read_config([tmp_path / "a.yaml", tmp_path / "b.yaml"], ["experiment=c"])
    assert (read.experiment, read.genetic.seed, read.genetic.n_islands) == ("c", 3, 2)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", "\tb"])
def test_what_is_no_mapping_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(MerecError, match="a mapping in YAML expected, found") as caught:
        read_config([path], [])
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_bare_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match="a configuration expected, found no such file"):
        read_config([tmp_path / "absent.yaml"], [])
    with pytest.raises(MerecError, match="KEY=VALUE expected, found 'seed'"):
        read_config([REPOSITORY / "config.yaml"], ["seed"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("? [a, b]\n: 1\n", "a name expected for a key, found a list or mapping in line 1"),
        ("1: 2\n", "names expected for keys, found 1"),
        ("on: 2\n", "names expected for keys, found True"),
        ("a: &a [*a]\n", "plain values expected"),
    ],
)
def test_keys_and_values_that_cannot_be_are_one_clear_line(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(MerecError, match=said) as caught:
        read_config([path], [])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["dataset=[", "genetic={seed: 1, seed: 2}"])
def test_value_on_the_command_line_that_is_no_yaml_is_one_clear_line(key: str) -> None:
    with pytest.raises(MerecError, match="--config: a value in YAML expected") as caught:
        read_config([REPOSITORY / "config.yaml"], [key])
    assert "\n" not in str(caught.value)


def test_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match="a configuration expected, found: Is a directory"):
        read_config([tmp_path], [])
