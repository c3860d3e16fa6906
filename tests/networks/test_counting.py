import math

import pytest

from merec_hpc.errors import MerecError
from merec_hpc.networks.counting import layer_shapes, network_size


@pytest.mark.parametrize(
    ("name", "billions", "digits"),
    [
        ("vgg16", 15.47, 2),
        ("resnet34", 3.66, 2),
        ("densenet121", 2.83, 2),
        ("mobilenet_v2", 0.300, 3),
    ],
)
def test_multiply_adds_are_the_published_ones(name: str, billions: float, digits: int) -> None:
    """They are published with the digits that follow cut off."""
    found = network_size(name).n_multiply_adds / 1e9
    assert math.floor(found * 10**digits) / 10**digits == billions


def test_multiply_adds_of_one_layer_are_counted_by_hand() -> None:
    found = network_size("expression_cnn", n_classes=3, channels=(4,), kernel_px=3, n_hidden=5)
    convolution = 64 * 64 * 9 * 4
    assert found.n_multiply_adds == convolution + 32 * 32 * 4 * 5 + 5 * 3
    assert found.n_parameters == 9 * 4 + 4 + 32 * 32 * 4 * 5 + 5 + 5 * 3 + 3


def test_vgg16_with_six_classes_has_its_134285126_parameters() -> None:
    assert network_size("vgg16", n_classes=6).n_parameters == 134_285_126


def test_fused_vgg16_is_as_large_as_paper_3_counts() -> None:
    found = network_size("fused_vgg16", n_classes=6).n_parameters
    assert round(found * 4 / 2**20, 2) == 9.05
    assert round(100 * found / 134_285_126, 2) == 1.77


def test_flow_networks_are_as_large_as_published() -> None:
    """OFF-ApexNet 2.66 million; STSTNet three convolutions with norms, and a dense layer of 400."""
    assert network_size("off_apexnet").n_parameters == 2_664_475
    assert network_size("ststnet").n_parameters == (3 + 5 + 8) * (27 + 1 + 2) + 400 * 3 + 3


def test_mini_xception_has_the_values_of_its_file() -> None:
    """58,423 with the running means and variances of its 14 normalisations."""
    n_channels = 2 * 8 + 3 * (16 + 32 + 64 + 128)
    assert network_size("mini_xception").n_parameters == 58_423 - 2 * n_channels


@pytest.mark.parametrize(
    ("name", "layer", "shape"),
    [
        ("vgg_f", "pool1", (64, 27, 27)),
        ("vgg_f", "pool5", (256, 6, 6)),
        ("emotion_cnn", "conv_4", (256, 6, 6)),
        ("mini_xception", "block4", (128, 4, 4)),
        ("fused_vgg16", "module1", (64, 112, 112)),
        ("fused_vgg16", "module5", (512, 7, 7)),
        ("facial_parts", "facial_parts", (1, 120, 120)),
    ],
)
def test_shapes_are_those_of_the_papers(name: str, layer: str, shape: tuple[int, ...]) -> None:
    assert layer_shapes(name)[layer] == shape


def test_shapes_at_another_side() -> None:
    assert layer_shapes("vgg16", ["features.30"], 96) == {"features.30": (512, 3, 3)}


def test_side_that_is_too_small_is_one_line() -> None:
    with pytest.raises(MerecError, match=r"^features.input_px: a side .* found 32 \(") as raised:
        layer_shapes("vgg_f", ["pool5"], 32)
    assert "\n" not in str(raised.value)
