import pytest
import torch
from torch import nn

from merec_hpc.networks.architectures.fused_vgg16 import (
    ChannelAttention,
    PlaceAttention,
    ResidualBlock,
)
from merec_hpc.networks.counting import network_size
from merec_hpc.networks.registry import NETWORKS

SWITCHES = ("cbam", "residual", "depthwise", "prelu")
OFF = dict.fromkeys(SWITCHES, False)


def test_thirteen_blocks_in_five_modules() -> None:
    with torch.device("meta"):
        network = NETWORKS["fused_vgg16"].build()
    blocks = [module for module in network.modules() if isinstance(module, ResidualBlock)]
    assert len(blocks) == 13
    changed = [block for block in blocks if isinstance(block.shortcut, nn.Sequential)]
    assert len(changed) == 4  # 3 to 64, 64 to 128, 128 to 256, 256 to 512


@pytest.mark.parametrize(
    ("switch", "kind", "n_parts"),
    [
        ("cbam", ChannelAttention, 13),
        ("cbam", PlaceAttention, 13),
        ("residual", nn.Identity, 9),
        ("prelu", nn.PReLU, 13),
    ],
)
def test_switch_adds_its_part_alone(switch: str, kind: type[nn.Module], n_parts: int) -> None:
    with torch.device("meta"):
        on = NETWORKS["fused_vgg16"].build(**{**OFF, switch: True})
        off = NETWORKS["fused_vgg16"].build(**OFF)
    assert sum(isinstance(module, kind) for module in on.modules()) == n_parts
    assert not any(isinstance(module, kind) for module in off.modules())


def test_plain_convolutions_are_those_of_vgg16() -> None:
    """With batch norm, and without its dense layers of 4096."""
    n_convolutions = sum(
        values.numel()
        for key, values in _meta("vgg16").state_dict().items()
        if key.startswith("features")
    )
    n_norms = 2 * 4224
    n_dense = 512 * 512 + 512 + 512 * 6 + 6
    assert network_size("fused_vgg16", **OFF).n_parameters == n_convolutions + n_norms + n_dense


def test_depthwise_convolutions_take_a_tenth_of_the_multiply_adds() -> None:
    plain, separable = (
        network_size("fused_vgg16", **{**OFF, "depthwise": on}).n_multiply_adds
        for on in (False, True)
    )
    assert separable < 0.15 * plain


def test_attention_weighs_channels_and_places() -> None:
    torch.manual_seed(0)
    batch = torch.randn(2, 32, 6, 5)
    shares = ChannelAttention(32)(batch) / batch
    torch.testing.assert_close(shares, shares[:, :, :1, :1].expand_as(shares))
    shares = PlaceAttention()(batch) / batch
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares))
    assert 0 < shares.min() < shares.max() < 1


def test_way_back_is_deterministic() -> None:
    """No part of it is one that torch has no deterministic way back for on CUDA."""
    refused = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.ReflectionPad2d, nn.Upsample)
    for name in ("fused_vgg16", "facial_parts", "emotion_cnn", "mini_xception", "vgg_f"):
        assert not any(isinstance(module, refused) for module in _meta(name).modules()), name


def _meta(name: str) -> nn.Module:
    with torch.device("meta"):
        built: nn.Module = NETWORKS[name].build()
    return built
