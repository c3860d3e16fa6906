"""A network for the classes of FER-2013, with the weights that a package carries.

Its last convolution gives 256 x 6 x 6 values, as many as VGG-F's pool5.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import Network, WeightFile

if TYPE_CHECKING:
    from torch import nn


def _build(n_classes: int = 7, *, n_channels: int = 32) -> "nn.Module":
    """Build it with the names of the package's own weights."""
    from collections import OrderedDict  # noqa: PLC0415

    from torch import nn  # noqa: PLC0415  # takes seconds

    from merec_hpc.networks.architectures.layers import MirrorPad  # noqa: PLC0415

    parts: OrderedDict[str, nn.Module] = OrderedDict()
    n_in, n_out = 1, n_channels
    for number in range(1, 5):
        parts[f"conv_{number}"] = nn.Sequential(
            MirrorPad(),
            nn.Conv2d(n_in, n_out, 3, stride=1 if number == 1 else 2),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
        )
        n_in, n_out = n_out, 2 * n_out
    parts["flatten"] = nn.Flatten()
    parts["linear"] = nn.Sequential(
        nn.Linear(n_in * 6 * 6, 256), nn.ReLU(), nn.Linear(256, n_classes), nn.Sigmoid()
    )
    return nn.Sequential(parts)


NETWORK = Network(
    _build,
    WeightFile(
        "facial-emotion-recognition==0.3.4",
        "facial_emotion_recognition-0.3.4/facial_emotion_recognition/model/model.pkl",
        "d2789940007ee6175130fefd3ed9a523a1afa4475fbdafbf64f2948db6c29537",
        "MIT in the package's metadata, no licence file; does not name its training data",
        is_source=True,
    ),
    layers=("conv_1", "conv_2", "conv_3", "conv_4", "linear.1", "linear.3"),
    input_px=48,
    mean=(0.5,),
    std=(0.5,),
    source="the package facial-emotion-recognition; no paper",
    colours="grey",
    classes=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    state_key="network",
)
