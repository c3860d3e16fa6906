"""Networks by name."""

from merec_hpc.config.base import nearest
from merec_hpc.errors import MerecError
from merec_hpc.networks import (
    alexnet,
    densenet121,
    efficientnet_b0,
    emotion_cnn,
    expression_cnn,
    facial_parts,
    fused_vgg16,
    mini_xception,
    mobilenet_v2,
    mobilenet_v3_large,
    off_apexnet,
    resnet34,
    shufflenet_v2,
    ststnet,
    vgg16,
    vgg_f,
)
from merec_hpc.networks.network import Network

NETWORKS: dict[str, Network] = {
    "mobilenet_v2": mobilenet_v2.NETWORK,
    "mobilenet_v3_large": mobilenet_v3_large.NETWORK,
    "efficientnet_b0": efficientnet_b0.NETWORK,
    "shufflenet_v2": shufflenet_v2.NETWORK,
    "vgg16": vgg16.NETWORK,
    "resnet34": resnet34.NETWORK,
    "densenet121": densenet121.NETWORK,
    "alexnet": alexnet.NETWORK,
    "vgg_f": vgg_f.NETWORK,
    "emotion_cnn": emotion_cnn.NETWORK,
    "mini_xception": mini_xception.NETWORK,
    "expression_cnn": expression_cnn.NETWORK,
    "fused_vgg16": fused_vgg16.NETWORK,
    "facial_parts": facial_parts.NETWORK,
    "ststnet": ststnet.NETWORK,
    "off_apexnet": off_apexnet.NETWORK,
}


def find_network(name: str, source: str = "features.network") -> Network:
    """Return a network by its name.

    Raises
    ------
    MerecError
        If there is none of that name; ``source`` says where it was named.
    """
    if name not in NETWORKS:
        listed = ", ".join(NETWORKS)
        msg = f"{source}: a network of {listed} expected, found '{name}'{nearest(name, NETWORKS)}"
        raise MerecError(msg)
    return NETWORKS[name]


def find_frame_network(name: str, source: str = "features.network") -> Network:
    """Return a network that reads frames, by its name.

    Raises
    ------
    MerecError
        As ``find_network``, or if it reads flow.
    """
    known = find_network(name, source)
    if known.colours == "flow":
        msg = f"{source}: a network that reads frames expected, found '{name}', which reads flow"
        raise MerecError(msg)
    return known


def frame_networks() -> list[str]:
    """Return the names of those that read frames, and so give features of them."""
    return [name for name, known in NETWORKS.items() if known.colours != "flow"]
