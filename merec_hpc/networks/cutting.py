"""Turns a network into one that gives what some of its layers give."""

from collections.abc import Sequence

from torch import Tensor, fx, nn
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names


def layer_nodes(network: nn.Module) -> list[str]:
    """Return the names of all nodes of a network's graph, in the order in which they are made."""
    nodes: list[str] = get_graph_node_names(network, suppress_diff_warning=True)[1]
    return nodes


def cut(network: nn.Module, layers: Sequence[str]) -> nn.Module:
    """Return a network that gives a dictionary of the outputs of layers, by their names.

    All come from one pass, and each is what it is when its layer has made it: of several, what
    is taken is copied, since activations in place (most of torchvision's) would change it
    afterwards. There must be such layers.
    """
    nodes = layer_nodes(network)
    ends = {layer: _end(nodes, layer) for layer in layers}
    # Nodes are taken by their own names: of two layers that end in one node torchvision would
    # take another for the second. The warning is about layers that are there in training alone.
    found = create_feature_extractor(
        network,
        train_return_nodes={layer: layer for layer in layers[:1]},  # none would be refused
        eval_return_nodes={end: end for end in ends.values()},
        suppress_diff_warning=True,
    ).eval()
    output = next(node for node in reversed(found.graph.nodes) if node.op == "output")
    taken = output.args[0]
    if len(taken) > 1:
        taken = {end: _copy_after(found.graph, node) for end, node in taken.items()}
    output.args = ({layer: taken[end] for layer, end in ends.items()},)
    found.recompile()
    return found  # type: ignore[no-any-return]  # torchvision says nothing of it


def _end(nodes: Sequence[str], layer: str) -> str:
    """Return the last node of a layer."""
    return [node for node in nodes if node == layer or node.startswith(f"{layer}.")][-1]


def _copy_after(graph: fx.Graph, node: fx.Node) -> fx.Node:
    with graph.inserting_after(node):
        return graph.call_function(_copied, (node,))


def _copied(output: object) -> object:
    return output.clone() if isinstance(output, Tensor) else output
