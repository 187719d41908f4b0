"""What tells networks of other speeds apart, whatever they have learned."""

import hashlib
from pathlib import Path

from serving.models.card import GRAPH_FILE
from serving.models.engines.frontless import front_left_out

with front_left_out():
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel


def outline(directory: Path) -> str:
    """A hash of the operations, and of the shapes of variables, in the SavedModel in `directory`, which is known to be
    one. Versions that one recipe trained have the same.
    """
    saved_model = SavedModel.FromString((directory / GRAPH_FILE).read_bytes())
    graphs = [each.graph_def for each in saved_model.meta_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for graph in graphs for function in graph.library.function for node in function.node_def]
    return hashlib.sha256("\n".join(sorted(map(_in_outline, nodes))).encode()).hexdigest()[:16]


def _in_outline(node: NodeDef) -> str:
    sizes = [dim.size for dim in node.attr["shape"].shape.dim] if "shape" in node.attr else []
    return f"{node.op} {sizes}"
