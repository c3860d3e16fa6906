from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut, chelsea, coffee
from torch import Tensor, nn
from torchvision.transforms.functional import normalize

from merec_hpc.config.features import Precision
from merec_hpc.errors import MerecError
from merec_hpc.features.activations import Backbone, shapes_of_frames
from merec_hpc.networks.network import Network
from merec_hpc.networks.random_weights import random_weights
from merec_hpc.networks.registry import NETWORKS, frame_networks
from merec_hpc.networks.reproducible import reproducible
from merec_hpc.networks.weight_sources import load_network


@pytest.fixture(autouse=True)
def settled() -> Iterator[None]:
    with reproducible():
        yield


@pytest.fixture(scope="module")
def backbone(weights: Path) -> Backbone:
    return _backbone(weights, "features.18")


@pytest.fixture(scope="module")
def network(weights: Path) -> nn.Module:
    return load_network("mobilenet_v2", weights / "mobilenet_v2")


def _backbone(weights: Path, layer: str) -> Backbone:
    return Backbone("mobilenet_v2", layer, weights / "mobilenet_v2", device="cpu")


def _frames(n_frames: int, size: int = 224) -> NDArray[np.float32]:
    """A walk over the photograph."""
    photo = astronaut().astype(np.float32)
    return np.stack([photo[step : step + size, step : step + size] for step in range(n_frames)])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("features.18", (1280, 7, 7)),
        ("features.4", (32, 28, 28)),
        ("features.4.conv.0", (144, 56, 56)),
        ("classifier.1", (1000, 1, 1)),
    ],
)
def test_named_layer_gives_its_channels_rows_and_columns(
    weights: Path, layer: str, shape: tuple[int, int, int]
) -> None:
    found = _backbone(weights, layer).activations(_frames(2))
    assert found.shape == (2, *shape)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_last_layer_is_that_of_the_network_on_normalised_frames(
    backbone: Backbone, network: nn.Module
) -> None:
    known = NETWORKS["mobilenet_v2"]
    frames = _frames(2)
    images = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        expected = network.get_submodule("features")(
            normalize(images, list(known.mean), list(known.std))
        )
    np.testing.assert_allclose(backbone.activations(frames), expected.numpy(), atol=1e-4)


def test_channels_are_read_as_red_green_blue(backbone: Backbone) -> None:
    frames = _frames(1)
    swapped = backbone.activations(frames[..., ::-1])
    assert np.abs(swapped - backbone.activations(frames)).max() > 0.1


@pytest.mark.parametrize("size", [112, 300])
def test_frames_of_another_size_are_resized(backbone: Backbone, size: int) -> None:
    grey = np.full((1, size, size, 3), 90, np.float32)
    expected = backbone.activations(np.full((1, 224, 224, 3), 90, np.float32))
    found = backbone.activations(grey)
    assert found.shape == (1, 1280, 7, 7)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_activations_of_a_frame_do_not_depend_on_the_other_frames(backbone: Backbone) -> None:
    frames = _frames(3)
    together = backbone.activations(frames)
    for number, frame in enumerate(frames):
        alone = backbone.activations(frame[None])[0]
        np.testing.assert_allclose(alone, together[number], atol=1e-4)


def test_same_clip_gives_the_same_bytes(backbone: Backbone) -> None:
    frames = _frames(2)
    first = backbone.activations(frames)
    assert backbone.activations(frames).tobytes() == first.tobytes()


def test_device_is_the_one_that_is_named(backbone: Backbone) -> None:
    assert backbone.device.type == "cpu"


@pytest.mark.parametrize("layer", ["features.99", "features.1x", "", "conv5"])
def test_unknown_layer_is_refused_with_those_there_are(weights: Path, layer: str) -> None:
    with pytest.raises(MerecError, match="a layer of mobilenet_v2 expected") as raised:
        _backbone(weights, layer)
    assert "features.18" in str(raised.value)
    assert f"found '{layer}'" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("photograph", "classes"),
    [
        (chelsea, {281, 282, 283, 284, 285}),  # tabby, tiger cat, Persian, Siamese, Egyptian
        (coffee, {504, 967, 968}),  # coffee mug, espresso, cup
    ],
)
def test_photographs_are_named_rightly(
    weights: Path, photograph: Callable[[], NDArray[np.uint8]], classes: set[int]
) -> None:
    """Real weights, resizing, colours and normalisation belong together."""
    image = photograph().astype(np.float32)[None]
    scores = _backbone(weights, "classifier.1").activations(image).ravel()
    assert int(scores.argmax()) in classes
    assert len(classes & set(np.argsort(-scores)[:5].tolist())) >= 2


@pytest.mark.parametrize(
    ("network", "layer", "margin_px"),
    [
        ("emotion_cnn", "linear.3", 0),
        ("mini_xception", "probabilities", 10),  # its package widens the box of a face
    ],
)
def test_expression_networks_turn_from_neutral_to_happy_at_the_onset(
    weights: Path, video: Path, network: str, layer: str, margin_px: int
) -> None:
    """A real person smiles from frame 18 to 20 on; the box of the face is that of the first frame."""
    x, y, side = 195, 89, 198
    rows = slice(y - margin_px, y + side + margin_px)
    columns = slice(x - margin_px, x + side + margin_px)
    reader = cv2.VideoCapture(str(video))
    frames = np.stack([reader.read()[1] for _ in range(25)])[:, rows, columns, ::-1]
    backbone = Backbone(network, layer, weights / network, device="cpu")
    best = backbone.activations(frames.astype(np.float32))[..., 0, 0].argmax(axis=1)
    said = [NETWORKS[network].classes[place] for place in best]
    assert said[:19] == ["neutral"] * 19
    assert said[20:] == ["happy"] * 5


def _probe(monkeypatch: pytest.MonkeyPatch, path: Path, **settings: Any) -> Backbone:
    """A network that gives back its input, as the first layer sees it."""
    known = {"mean": (0.0,) * 3, "std": (1.0,) * 3, "colours": "rgb", **settings}
    n_channels = len(known["mean"])

    def build(n_classes: int = 1) -> nn.Module:
        seen = nn.Conv2d(n_channels, n_channels, 1, bias=False)
        nn.init.dirac_(seen.weight)
        network = nn.Sequential()
        network.add_module("seen", seen)
        network.register_buffer(
            "mean_image", torch.arange(64.0).view(1, 8, 8).expand(n_channels, 8, 8)
        )
        return network

    network = Network(build, None, ("seen",), 8, **known)
    monkeypatch.setitem(NETWORKS, "probe", network)
    path.write_bytes(random_weights(0))
    return Backbone("probe", "seen", path, device="cpu")


@pytest.fixture
def frame() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(0, 255, (1, 8, 8, 3)).astype(np.float32)


def test_grey_is_that_of_itu_r_601_and_of_opencv(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, frame: NDArray[np.float32]
) -> None:
    backbone = _probe(
        monkeypatch, tmp_path / "w", mean=(0.0,), std=(1.0,), colours="grey", maximum=255.0
    )
    expected = cv2.cvtColor(frame[0], cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(backbone.activations(frame)[0, 0], expected, rtol=1e-5)


def test_order_of_colours_can_be_blue_green_red(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, frame: NDArray[np.float32]
) -> None:
    backbone = _probe(monkeypatch, tmp_path / "w", colours="bgr", maximum=255.0)
    found = backbone.activations(frame)[0].transpose(1, 2, 0)
    np.testing.assert_allclose(found, frame[0, ..., ::-1], rtol=1e-6)


def test_mean_and_deviation_are_in_units_of_the_maximum(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, frame: NDArray[np.float32]
) -> None:
    mean, std = (0.5, 0.4, 0.3), (0.5, 0.25, 2.0)
    found = _probe(monkeypatch, tmp_path / "w", mean=mean, std=std).activations(frame)[0]
    expected = (frame[0] / 255 - mean) / std
    np.testing.assert_allclose(found.transpose(1, 2, 0), expected, atol=1e-5)


def test_mean_image_is_subtracted_place_by_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, frame: NDArray[np.float32]
) -> None:
    backbone = _probe(monkeypatch, tmp_path / "w", maximum=255.0, has_mean_image=True)
    found = backbone.activations(frame)[0].transpose(1, 2, 0)
    expected = frame[0] - np.arange(64.0).reshape(8, 8, 1)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "known",
    [
        {"mean": (0.5, 0.4, 0.3), "std": (0.5, 0.25, 2.0)},
        {"colours": "bgr", "maximum": 255.0, "has_mean_image": True, "mean": (9.0, 8.0, 7.0)},
        {"colours": "grey", "mean": (0.2,), "std": (0.5,)},
    ],
    ids="-".join,
)
def test_change_is_the_difference_of_what_the_network_sees_of_two_frames(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, known: dict[str, Any]
) -> None:
    two = np.random.default_rng(3).uniform(0, 255, (2, 20, 24, 3)).astype(np.float32)
    two[1, :10] = two[0, :10]
    backbone = _probe(monkeypatch, tmp_path / "w", **known)
    found = backbone.activations(two[1:] - two[:1], of_changes=True)
    before, after = backbone.activations(two)
    np.testing.assert_allclose(found[0], after - before, atol=1e-4)
    assert np.abs(found).max() > 0.1
    assert not found[0, :, :3].any()


@pytest.mark.parametrize("antialias", [False, True])
def test_images_are_made_smaller_as_opencv_or_as_pillow_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, antialias: bool
) -> None:
    large = np.random.default_rng(2).uniform(0, 255, (1, 40, 40, 3)).astype(np.float32)
    backbone = _probe(monkeypatch, tmp_path / "w", maximum=255.0, antialias=antialias)
    found = backbone.activations(large)[0, 0]
    as_opencv = cv2.resize(large[0, ..., 0], (8, 8), interpolation=cv2.INTER_LINEAR)
    pillow = Image.fromarray(large[0, ..., 0]).resize((8, 8), Image.Resampling.BILINEAR)
    expected, other = (np.asarray(pillow), as_opencv) if antialias else (as_opencv, pillow)
    np.testing.assert_allclose(found, expected, atol=1e-2)
    assert np.abs(found - other).max() > 10


@pytest.mark.parametrize("network", [name for name in frame_networks() if name != "vgg16"])
def test_layers_of_every_network_are_extracted(tmp_path: Path, network: str) -> None:
    """With random weights; VGG-16's are the same kinds of layers as AlexNet's, and 528 MiB."""
    (tmp_path / "weights").write_bytes(random_weights(0))
    known = NETWORKS[network]
    layer = known.layers[len(known.layers) // 2]
    backbone = Backbone(network, layer, tmp_path / "weights", device="cpu")
    found = backbone.activations(_frames(1, known.input_px + 10))
    assert found.shape == (1, *shapes_of_frames(network, [layer])[0])
    assert np.isfinite(found).all()
    assert found.std() > 0


def test_layer_before_the_dense_ones_takes_another_side(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(random_weights(0))
    backbone = Backbone("vgg_f", "pool5", tmp_path / "weights", device="cpu", input_px=160)
    found = backbone.activations(_frames(1))
    assert found.shape == (1, *shapes_of_frames("vgg_f", ["pool5"], 160)[0]) == (1, 256, 4, 4)


def test_node_that_is_no_layer_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(random_weights(0))
    backbone = Backbone("vgg_f", "norm1.getattr", tmp_path / "weights", device="cpu")
    with pytest.raises(MerecError, match=r"a layer of channels expected, found 'norm1.getattr'"):
        backbone.activations(_frames(1))


def test_shapes_of_several_layers_are_in_their_order() -> None:
    assert shapes_of_frames("mobilenet_v2", ["classifier.1", "features.4"], 64) == [
        (1000, 1, 1),
        (32, 8, 8),
    ]


class _ShortOfMemory(nn.Module):
    """A layer that has memory for a few frames at once."""

    def __init__(self, most_frames: int, error: RuntimeError) -> None:
        super().__init__()
        self.most_frames = most_frames
        self.error = error
        self.seen: list[int] = []

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        self.seen.append(len(images))
        if len(images) > self.most_frames:
            raise self.error
        return {"seen": images}


SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
]


@pytest.mark.parametrize("error", SHORTAGES, ids=["device", "cpu"])
def test_half_of_the_frames_pass_where_memory_is_short(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    error: RuntimeError,
) -> None:
    frames = np.random.default_rng(4).uniform(0, 255, (11, 8, 8, 3)).astype(np.float32)
    backbone = _probe(monkeypatch, tmp_path / "w")
    expected = backbone.activations(frames)
    short = _ShortOfMemory(3, error)
    monkeypatch.setattr(backbone, "_extractor", short)
    np.testing.assert_array_equal(backbone.activations(frames), expected)
    assert short.seen == [11, 5, 2, 2, 2, 2, 2, 1]
    said = [message for message in caplog.messages if message.startswith("Too little memory")]
    assert said == [
        "Too little memory on cpu for 11 frames at once: 5 from now on",
        "Too little memory on cpu for 5 frames at once: 2 from now on",
    ]
    short.seen.clear()
    backbone.activations(frames)
    assert short.seen == [2, 2, 2, 2, 2, 1]


def test_no_memory_for_one_frame_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backbone = _probe(monkeypatch, tmp_path / "w")
    monkeypatch.setattr(backbone, "_extractor", _ShortOfMemory(0, SHORTAGES[0]))
    with pytest.raises(MerecError, match=r"^memory for one frame expected on cpu, found too"):
        backbone.activations(_frames(3))


def test_other_errors_of_a_network_are_no_shortage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backbone = _probe(monkeypatch, tmp_path / "w")
    monkeypatch.setattr(backbone, "_extractor", _ShortOfMemory(0, RuntimeError("a fault")))
    with pytest.raises(RuntimeError, match=r"^a fault$"):
        backbone.activations(_frames(3))


@pytest.mark.parametrize("network", ["mobilenet_v2", "vgg_f", "fused_vgg16", "facial_parts"])
def test_layers_may_work_in_bfloat16(tmp_path: Path, network: str) -> None:
    """Which has eight bits: errors of a few thousandths of the largest value, and not none."""
    (tmp_path / "weights").write_bytes(random_weights(0))
    layer = NETWORKS[network].layers[0]
    exact, mixed = (
        Backbone(network, layer, tmp_path / "weights", "cpu", precision=precision).activations(
            _frames(2)
        )
        for precision in get_args(Precision)
    )
    assert mixed.dtype == np.float32
    error = np.abs(mixed - exact).max() / np.abs(exact).max()
    assert 1e-6 < error < 0.03
