import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import pytest
import typer
from conftest import REPOSITORY, required
from typer.testing import CliRunner

from merec_hpc import __version__, cli
from merec_hpc.config.base import to_json
from merec_hpc.config.features import FeatureSettings
from merec_hpc.dataset.catalog import read_catalog, write_catalog
from merec_hpc.dataset.clip import Clip
from merec_hpc.dataset.folds import FoldSize
from merec_hpc.dataset.listing import Fault
from merec_hpc.dataset.sources import Folder
from merec_hpc.files.rows import read_rows, write_rows
from merec_hpc.records import Failure, Features
from merec_hpc.store.schema import FEATURES
from merec_hpc.store.writing import write_store

NOT_COMMANDS = {"__init__", "options"}
MANIFEST = "clip,subject,label,path,onset,apex,offset"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    """The application with all commands: importing them takes a while."""
    return cli.build_app("")


@pytest.fixture(scope="module")
def commands(app: typer.Typer) -> dict[str, Any]:
    return _commands(app)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A dataset by manifest: three subjects with one clip of one empty image each."""
    root = tmp_path / "images"
    rows = []
    for subject in ("s1", "s2", "s3"):
        (root / subject).mkdir(parents=True)
        (root / subject / "frame1.png").touch()
        rows.append(f"{subject}_01,{subject},{'sad' if subject == 's1' else 'happy'},{subject},,,")
    (root / "manifest.csv").write_text("\n".join([MANIFEST, *rows]) + "\n")
    return root


@pytest.fixture
def store(tmp_path: Path, features: Features) -> Path:
    path = tmp_path / "features.h5"
    attributes = {"settings": to_json(FeatureSettings()), "weights_sha256": "0" * 64}
    write_store(path, FEATURES, vars(features), attributes)
    return path


def test_application_has_every_command_in_the_order_of_the_data(commands: dict[str, Any]) -> None:
    assert list(commands) == list(cli.COMMANDS)


def test_every_command_is_a_module_and_every_module_a_command() -> None:
    modules = {path.stem for path in (REPOSITORY / "merec_hpc" / "commands").glob("*.py")}
    assert modules - NOT_COMMANDS == {name.replace("-", "_") for name in cli.COMMANDS}


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_a_command_names_its_options(
    app: typer.Typer, commands: dict[str, Any], name: str
) -> None:
    status, shown = _invoke(app, name, "--help")
    assert status == 0, shown
    assert commands[name].help.splitlines()[0] in shown
    assert len(commands[name].params) >= 2
    for option in commands[name].params:
        assert option.opts[0] in shown


def test_list_says_of_each_command_what_its_docstring_says(commands: dict[str, Any]) -> None:
    lines = {name: command.help.splitlines()[0] for name, command in commands.items()}
    assert lines == cli.COMMANDS


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_list_is_that_of_the_whole_application(
    app: typer.Typer, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    status, shown = _invoke(app, *arguments)
    monkeypatch.setenv("COLUMNS", "200")
    listed = _merec(*arguments)
    assert listed.returncode == status == (0 if arguments else 2)
    text = _COLOUR.sub("", listed.stdout).replace("python -m merec_hpc", "merec")
    assert " ".join(text.split()) == shown


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], [], ["--version"], ["select-gentic"]])
def test_what_needs_no_command_imports_no_library(arguments: list[str]) -> None:
    heavy = {"numpy", "torch", "h5py", "numba", "matplotlib", "pydantic", "sklearn", "mpi4py"}
    code = (
        "import sys; from merec_hpc.cli import main\n"
        "try:\n    main()\n"
        f"finally:\n    print('imported', sorted({heavy} & set(sys.modules)))"
    )
    shown = _run([sys.executable, "-c", code, *arguments])
    assert shown.stdout.splitlines()[-1] == "imported []", shown.stderr


@pytest.mark.parametrize("before", [[], ["--"]])
@pytest.mark.parametrize(
    ("misspelt", "hint"),
    [
        ("select-gentic", "did you mean 'select-genetic'?"),
        ("Doctor", "did you mean 'doctor'?"),
        ("", "merec --help lists them"),
        ("x", "merec --help lists them"),
    ],
)
def test_misspelt_command_is_one_line_with_the_nearest(
    before: list[str], misspelt: str, hint: str
) -> None:
    shown = _merec(*before, misspelt, "--help")
    assert _refusal(shown) == f"merec: a command expected, found '{misspelt}': {hint}"
    assert len(shown.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--nonsense", "simulate"], ["-"]])
def test_mistaken_option_before_a_command_ends_with_status_2(arguments: list[str]) -> None:
    shown = _merec(*arguments)
    assert shown.returncode == cli.INPUT_ERROR
    assert "Error" in shown.stderr


def test_help_works_from_a_shell() -> None:
    shown = _merec("simulate", "-h")
    assert shown.returncode == 0
    assert "--output" in shown.stdout
    assert "Traceback" not in shown.stderr


def test_application_with_one_command_has_that_alone() -> None:
    assert list(_commands(cli.build_app("simulate"))) == ["simulate"]


def test_one_command_leaves_the_libraries_of_the_others_alone() -> None:
    code = (
        "import sys; from merec_hpc.cli import build_app; build_app('collect-failures');"
        "print(sorted({'torch', 'mpi4py', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    shown = _run([sys.executable, "-c", code])
    assert shown.stdout.strip() == "[]", shown.stderr


def test_version_is_that_of_the_package(app: typer.Typer) -> None:
    assert _invoke(app, "--version") == (0, f"merec_hpc {__version__}")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_option_has_a_help_text_that_ends_in_a_full_stop(
    commands: dict[str, Any], name: str
) -> None:
    for option in commands[name].params:
        assert re.search(r"\w.*\.$", option.help or ""), option.name


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_option_is_spelt_in_kebab_case(commands: dict[str, Any], name: str) -> None:
    for option in commands[name].params:
        if name == "inspect" and option.param_type_name == "argument":  # as ls and diff
            continue
        assert option.param_type_name == "option", option.name
        for spelling in [*option.opts, *option.secondary_opts]:
            assert re.fullmatch(r"--[a-z][a-z0-9]*(-[a-z0-9]+)*", spelling)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_says_in_one_sentence_what_it_does(
    commands: dict[str, Any], name: str
) -> None:
    assert re.fullmatch(r"[A-Z].*\.", commands[name].help.splitlines()[0])


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["simulate", "--nonsense"], ["simulate"], ["simulate", "--threads"]]
)
def test_mistaken_command_line_ends_with_status_2(app: typer.Typer, arguments: list[str]) -> None:
    status, shown = _invoke(app, *arguments)
    assert status == cli.INPUT_ERROR == 2
    assert "Error" in shown


def test_missing_dataset_folder_is_one_line_with_status_2(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    line = _refusal(_merec(*_index(tmp_path, "smic", absent)))
    assert line == f"merec: {absent}: expected the dataset's folder, found no such folder"
    assert not (tmp_path / "catalog.tsv").exists()


def test_wrong_release_is_one_line_with_status_2(tmp_path: Path, images: Path) -> None:
    line = _refusal(_merec(*_index(tmp_path, "smic", images)))
    assert "a folder 'VIS' of SMIC's clips release expected" in line
    assert "found manifest.csv, s1, s2, s3" in line


def test_unknown_dataset_is_one_line_with_status_2(tmp_path: Path, images: Path) -> None:
    line = _refusal(_merec(*_index(tmp_path, "cas", images)))
    assert "smic" in line
    assert "found 'cas'" in line


def test_unknown_setting_is_one_line_with_status_2(tmp_path: Path, images: Path) -> None:
    line = _refusal(_merec(*_index(tmp_path, "smic", images, '{"cammera": "HS"}')))
    assert "unknown key 'cammera'; did you mean 'camera'?" in line


def test_label_outside_the_scheme_is_one_line_with_status_2(tmp_path: Path, images: Path) -> None:
    settings = '{"labels": ["happy", "surprised"]}'
    line = _refusal(_merec(*_index(tmp_path, "manifest", images, settings)))
    assert "clip 's1_01' of subject 's1'" in line
    assert "label 'sad', expected one of happy, surprised" in line
    (fault,) = read_rows(tmp_path / "audit.tsv", Fault)  # the table is there to be looked at
    assert fault.consequence == "stops the run"
    assert not (tmp_path / "catalog.tsv").exists()


def test_manifest_without_a_column_is_one_line_with_status_2(tmp_path: Path, images: Path) -> None:
    manifest = images / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("subject", "person", 1))
    line = _refusal(_merec(*_index(tmp_path, "manifest", images)))
    assert line.startswith(f"merec: {manifest}: column 'subject' expected, found clip, person,")


def test_dataset_of_one_subject_is_one_line_with_status_2(tmp_path: Path, images: Path) -> None:
    (images / "manifest.csv").write_text(f"{MANIFEST}\na,s1,sad,s1,,,\nb,s1,happy,s1,,,\n")
    line = _refusal(_merec(*_index(tmp_path, "manifest", images)))
    assert "clips of at least two subjects expected, found 1" in line


def test_good_manifest_becomes_a_catalog(tmp_path: Path, images: Path) -> None:
    shown = _merec(*_index(tmp_path, "manifest", images, '{"labels": ["happy", "sad"]}'))
    assert shown.returncode == 0, shown.stderr
    assert [clip.clip for clip in read_catalog(tmp_path / "catalog.tsv")] == [
        "s1_01",
        "s2_01",
        "s3_01",
    ]
    assert read_rows(tmp_path / "audit.tsv", Fault) == []


def test_unreadable_image_is_recorded_and_too_many_stop_the_run(
    tmp_path: Path, images: Path, weights: Path
) -> None:
    assert _merec(*_index(tmp_path, "manifest", images)).returncode == 0
    registered = _merec(
        "register-faces",
        *("--catalog", tmp_path / "catalog.tsv", "--root", images, "--subject", "s1"),
        *("--landmark-weights", weights / "face_mesh", "--settings", "{}"),
        *("--output", tmp_path / "s1.h5"),
        *("--failures", tmp_path / "s1.tsv"),
    )
    assert registered.returncode == 0, registered.stderr
    image = images / "s1" / "frame1.png"
    (failure,) = read_rows(tmp_path / "s1.tsv", Failure)
    assert (failure.clip, failure.subject, failure.stage) == ("s1_01", "s1", "register_faces")
    assert failure.reason == f"{image}: expected an image, found 0 bytes that do not decode"
    line = _refusal(_merec(*_collect(tmp_path, [tmp_path / "s1.tsv"], 0.1)))
    assert "at most 10% of 3 clips may be left out (max_failed_fraction), found 1" in line
    assert str(image) in line
    assert not (tmp_path / "folds.tsv").exists()


def test_failures_within_the_fraction_leave_the_other_clips(tmp_path: Path) -> None:
    clips = [
        Clip(f"s{subject}_{label}", f"s{subject}", label, Folder("x"))
        for subject in range(1, 5)
        for label in ("happy", "sad")
    ]
    write_catalog(tmp_path / "catalog.tsv", clips)
    audited = [Fault("s9_sad", "s9", "clip left out", "no frames"), Fault("s1_sad", "s1", *"ab")]
    write_rows(tmp_path / "audit.tsv", Fault, audited)
    lost = [Failure(f"s1_{label}", "s1", "register_faces", "no face") for label in ("happy", "sad")]
    write_rows(tmp_path / "s1.tsv", Failure, lost)
    write_rows(tmp_path / "s2.tsv", Failure, [])
    shown = _merec(*_collect(tmp_path, [tmp_path / "s1.tsv", tmp_path / "s2.tsv"], 1 / 3))
    assert shown.returncode == 0, shown.stderr  # 3 of 9 clips
    collected = read_rows(tmp_path / "failures.tsv", Failure)
    assert [failure.clip for failure in collected] == ["s9_sad", "s1_happy", "s1_sad"]
    assert read_rows(tmp_path / "folds.tsv", FoldSize) == [
        FoldSize(f"s{subject}", 2, 4) for subject in (2, 3, 4)
    ]


def test_too_few_subjects_for_inner_folds_are_one_line_with_status_2(tmp_path: Path) -> None:
    clips = [Clip(f"c{i}", f"s{i % 2}", "happy" if i < 2 else "sad", Folder("x")) for i in range(4)]
    write_catalog(tmp_path / "catalog.tsv", clips)
    write_rows(tmp_path / "audit.tsv", Fault, [])
    write_rows(tmp_path / "s0.tsv", Failure, [])
    line = _refusal(_merec(*_collect(tmp_path, [tmp_path / "s0.tsv"], 0.1)))
    assert "clips of at least three subjects expected, found 2" in line


def test_feature_store_of_another_version_is_one_line_with_status_2(
    tmp_path: Path, store: Path
) -> None:
    with h5py.File(store, "a") as file:
        file.attrs["version"] = FEATURES.version + 1
    line = _refusal(_merec("select", "--method", "all_features", *_selection(tmp_path, store)))
    assert f"{store}: format version {FEATURES.version} of features files expected" in line
    assert f"found {FEATURES.version + 1}" in line
    assert not (tmp_path / "selection.h5").exists()


def test_file_that_is_no_store_is_one_line_with_status_2(tmp_path: Path, store: Path) -> None:
    store.write_bytes(store.read_bytes()[:1000])
    line = _refusal(_merec("select", "--method", "all_features", *_selection(tmp_path, store)))
    assert f"{store}: expected a features file" in line


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--held-out", "s99"), "subject 's99' expected, found s01, s02, s03, s04"),
        (("--scaling", "minmax"), "'transductive_shrunk' expected, found 'minmax'"),
        (("--settings", '{"C_values": []}'), "'C_values' is []"),
    ],
)
def test_mistaken_option_of_a_selector_is_one_line_with_status_2(
    tmp_path: Path, store: Path, change: tuple[str, str], words: str
) -> None:
    arguments = _selection(tmp_path, store)
    arguments[arguments.index(change[0]) + 1] = change[1]
    assert words in _refusal(_merec("select", "--method", "all_features", *arguments))


def test_selection_of_every_feature_is_written(tmp_path: Path, store: Path) -> None:
    shown = _merec("select", "--method", "all_features", *_selection(tmp_path, store))
    assert shown.returncode == 0, shown.stderr
    assert (tmp_path / "selection.h5").is_file()


def test_ranks_without_a_launcher_are_one_line_with_status_2(tmp_path: Path, store: Path) -> None:
    arguments = ["select-genetic", *_selection(tmp_path, store), "--ranks", "2"]
    line = _refusal(_merec(*arguments))
    assert re.search(r"2 \S+ expected \(--ranks\), found 1", line)
    assert "mpiexec -n 2" in line


def test_launcher_of_another_number_of_ranks_stops_the_run(tmp_path: Path, store: Path) -> None:
    mpiexec = required(Path(sys.executable).with_name("mpiexec"), "mpiexec of the environment")
    program = [mpiexec, "-n", "2", sys.executable, "-m", "mpi4py", "-m", "merec_hpc"]
    arguments = ["select-genetic", *_selection(tmp_path, store), "--ranks", "3"]
    shown = _run([*program, *arguments])
    assert shown.returncode != 0
    assert re.search(r"^merec: 3 \S+ expected \(--ranks\), found 2", shown.stderr, re.MULTILINE)
    assert "Traceback" not in shown.stderr
    assert not (tmp_path / "selection.h5").exists()


def _commands(app: typer.Typer) -> dict[str, Any]:
    found: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
    return found


def _invoke(app: typer.Typer, *arguments: str) -> tuple[int, str]:
    """Return the exit status and the text shown, without colours and line ends."""
    shown = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    return shown.exit_code, " ".join(_COLOUR.sub("", shown.output).split())


def _index(folder: Path, dataset: str, root: Path, settings: str = "{}") -> list[str | Path]:
    tables = ["--catalog", folder / "catalog.tsv", "--audit", folder / "audit.tsv"]
    given = ["--dataset", dataset, "--root", root, "--settings", settings]
    return ["index-dataset", *given, *tables]


def _collect(folder: Path, failures: Sequence[Path], fraction: float) -> list[str | Path]:
    tables = ["--catalog", folder / "catalog.tsv", "--audit", folder / "audit.tsv"]
    tables += [part for path in failures for part in ("--failures", path)]
    outputs = ["--output", folder / "failures.tsv", "--folds", folder / "folds.tsv"]
    outputs += ["--fold-table", folder / "fold_subjects.tsv"]
    return ["collect-failures", *tables, "--max-failed-fraction", str(fraction), *outputs]


def _selection(folder: Path, store: Path) -> list[str | Path]:
    fold = ["--held-out", "s01", "--output", folder / "selection.h5"]
    return ["--store", store, *fold, "--settings", "{}", "--scaling", "standard"]


def _merec(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, "-m", "merec_hpc", *arguments])


def _run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    # A launcher around pytest is none around the command.
    kept = {name: value for name, value in os.environ.items() if not _is_launchers(name)}
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, env=kept
    )


def _is_launchers(name: str) -> bool:
    return name.startswith(("PMI", "OMPI_", "MV2_", "SLURM_"))


def _refusal(shown: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that names the mistake, the last on standard error."""
    assert shown.returncode == cli.INPUT_ERROR, shown.stderr
    assert "Traceback" not in shown.stderr
    lines = shown.stderr.splitlines()
    assert [line for line in lines if line.startswith("merec: ")] == lines[-1:], shown.stderr
    assert all(_is_log_line(line) for line in lines[:-1]), shown.stderr
    return lines[-1]


def _is_log_line(line: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d [\d:,]+ (INFO|WARNING) ", line) is not None


def test_command_of_an_earlier_version_is_told_what_it_is_now() -> None:
    assert _refusal(_merec("select-ranking", "--ranking", "fisher")).endswith(
        "found 'select-ranking': did you mean 'select --method NAME'?"
    )
    for name, now in cli.FORMER.items():
        assert name not in cli.COMMANDS
        assert now.split()[0] in cli.COMMANDS
