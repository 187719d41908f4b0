"""Which networks are taken to be equally fast."""

from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from serving.models.card import GRAPH_FILE
from serving.models.engines.outline import outline


def saved(directory, sizes, weight=0.0):
    """A SavedModel of one function, with a variable of these sizes; its path."""
    saved_model = SavedModel()
    library = saved_model.meta_graphs.add().graph_def.library
    function = library.function.add()
    variable = function.node_def.add(name="kernel", op="VarHandleOp")
    for size in sizes:
        variable.attr["shape"].shape.dim.add(size=size)
    function.node_def.add(name="scale", op="Const").attr["value"].CopyFrom(AttrValue(f=weight))
    directory.mkdir()
    (directory / GRAPH_FILE).write_bytes(saved_model.SerializeToString())
    return directory


def test_what_a_network_learned_makes_no_difference(tmp_path):
    assert outline(saved(tmp_path / "1", [3, 4], 0.5)) == outline(saved(tmp_path / "2", [3, 4], 0.7))


def test_a_wider_network_is_another(tmp_path):
    assert outline(saved(tmp_path / "1", [3, 4])) != outline(saved(tmp_path / "2", [3, 8]))
