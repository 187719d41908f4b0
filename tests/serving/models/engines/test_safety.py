"""What a served graph may hold: real SavedModels that do more than compute, and ones that were tampered with."""

import logging

import pytest
import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.client import pywrap_tf_session

from serving.errors import ModelRejected
from serving.models.card import GRAPH_FILE
from serving.models.engines.loading import EngineLoader
from serving.models.engines.operations import ALLOWED, RESTORING, SAVING, Trust
from serving.models.engines.safety import check_safety, unsafe_operations
from tests.serving.choir import SHADES_1
from tests.serving.tiny import TinyModel

PIXELS = tf.TensorSpec([None, 4], tf.float32, name="pixels")


def saved(directory, compute, **parts):
    """A SavedModel whose signature is `compute`, with a weight to restore, and `parts` that the signature needs."""
    module = tf.Module()
    module.parts = parts
    module.weights = tf.Variable([1.0, 2.0, 3.0, 4.0])
    module.serve = tf.function(lambda pixels: {"logits": compute(pixels * module.weights)}, input_signature=[PIXELS])
    tf.saved_model.save(module, str(directory), signatures={"serving_default": module.serve})
    return directory


def saved_before_2019(directory):
    """One of TensorFlow 1, whose saver is in the same graph as the network."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        pixels = tf.compat.v1.placeholder(tf.float32, [None, 4])
        weights = tf.compat.v1.get_variable("weights", [4])
        session.run(tf.compat.v1.global_variables_initializer())
        builder = tf.compat.v1.saved_model.Builder(str(directory))
        signature = tf.compat.v1.saved_model.predict_signature_def({"pixels": pixels}, {"logits": pixels * weights})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    return directory


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The message of a SavedModel that only computes."""
    directory = saved(tmp_path_factory.mktemp("plain"), lambda pixels: tf.nn.relu(pixels))
    return (directory / GRAPH_FILE).read_bytes()


@pytest.fixture
def tampered(plain):
    """The same, to be changed by a test."""
    return SavedModel.FromString(plain)


def functions_of(model, part):
    """Those of its library in whose names `part` is."""
    return [each for each in model.meta_graphs[0].graph_def.library.function if part in each.signature.name]


def found_in(model):
    return [(finding.operation, finding.node) for finding in unsafe_operations(model)]


def write(pixels):
    tf.io.write_file("/nowhere", "mine")
    return pixels


def run_python_in_a_loop(pixels):
    return tf.while_loop(
        lambda turn, _: turn < 2,
        lambda turn, rows: (
            turn + 1,
            tf.cond(turn > 0, lambda: tf.py_function(lambda r: r, [rows], tf.float32), lambda: rows),
        ),
        (0, pixels),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape(None)),
    )[1]


@pytest.mark.parametrize(
    ("compute", "operation"),
    [
        (write, "WriteFile"),
        (lambda pixels: pixels + tf.cast(tf.strings.length(tf.io.read_file("/etc/passwd")), tf.float32), "ReadFile"),
        (lambda pixels: tf.numpy_function(lambda rows: rows, [pixels], tf.float32), "PyFunc"),
        (run_python_in_a_loop, "EagerPyFunc"),
        (lambda pixels: pixels + tf.raw_ops.RestoreV2(
            prefix="/elsewhere", tensor_names=["w"], shape_and_slices=[""], dtypes=[tf.float32])[0], "RestoreV2"),
    ],
)  # fmt: skip
def test_a_graph_that_does_more_than_compute_is_refused_by_operation_node_and_function(tmp_path, compute, operation):
    directory = saved(tmp_path / "shades" / "1", compute)
    with pytest.raises(ModelRejected, match=f"in function '.*', a {operation}.*allow_operations.*for shades"):
        check_safety(directory)


def test_a_graph_that_computes_is_safe_in_whichever_way_it_was_saved(tmp_path):
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer([0, 1], [5.0, 7.0], tf.int32, tf.float32), 0.0
    )
    check_safety(saved(tmp_path / "now", tf.nn.softmax))
    check_safety(saved(tmp_path / "table", lambda pixels: pixels + table.lookup(tf.constant([1])), table=table))
    check_safety(saved_before_2019(tmp_path / "then"))
    check_safety(TinyModel("shades", 1, seed=1, dense=True).publish(tmp_path))


def test_a_signature_that_takes_examples_with_files_of_pictures_is_safe(tmp_path):
    def opened(file):
        picture = tf.io.decode_image(file, channels=3, expand_animations=False)
        return tf.image.resize(tf.image.convert_image_dtype(picture, tf.float32), [8, 8])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(examples):
        files = tf.io.parse_example(examples, {"image/encoded": tf.io.FixedLenFeature([], tf.string)})["image/encoded"]
        rows = tf.map_fn(opened, files, fn_output_signature=tf.float32)
        scores, classes = tf.math.top_k(tf.nn.softmax(tf.reduce_mean(rows, axis=[1, 2])), 2)
        return {"scores": scores, "classes": tf.strings.as_string(classes)}

    tf.saved_model.save(tf.Module(), str(tmp_path), signatures={"serving_default": serve})
    check_safety(tmp_path)


def test_nothing_is_loaded_of_a_graph_that_is_refused(tmp_path, monkeypatch):
    version = TinyModel("gated", 1, seed=1).publish(tmp_path, gate=tmp_path / "gate")
    monkeypatch.setattr(tf.saved_model, "load", lambda _: pytest.fail("loaded"))
    with pytest.raises(ModelRejected, match="MatchingFiles"):
        EngineLoader("tensorflow")(version)


@pytest.mark.parametrize("trust", [Trust({"MatchingFiles"}), Trust(everything=True)])
def test_what_only_trust_lets_pass_is_said_at_each_load(tmp_path, caplog, trust):
    version = TinyModel("gated", 7, seed=1).publish(tmp_path, gate=tmp_path / "gate")
    for _ in range(2):
        check_safety(version, trust)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert all("gated version 7" in line and "a MatchingFiles" in line for line in warnings)


def test_one_operation_that_is_trusted_leaves_others_refused(tmp_path):
    version = TinyModel("gated", 1, seed=1).publish(tmp_path, gate=tmp_path / "gate")
    with pytest.raises(ModelRejected, match="MatchingFiles"):
        check_safety(version, Trust({"WriteFile"}))


def test_a_safe_model_is_loaded_without_a_warning(tmp_path, caplog):
    check_safety(SHADES_1.publish(tmp_path), Trust({"WriteFile"}, everything=True))
    assert caplog.records == []


def test_a_saver_that_writes_while_it_restores_is_found(tampered):
    (restore,) = functions_of(tampered, "traced_restore")
    restore.node_def.add(name="sneaky", op="SaveV2")
    assert found_in(tampered) == [("SaveV2", "sneaky")]


def test_a_saver_that_does_more_than_save_is_found(tampered):
    (save,) = functions_of(tampered, "traced_save")
    save.node_def.add(name="sneaky", op="WriteFile")
    assert found_in(tampered) == [("WriteFile", "sneaky")]


@pytest.mark.parametrize("nested", [False, True], ids=["called", "called by an attribute of an attribute"])
def test_the_saver_that_is_called_by_what_is_served_is_found(tampered, nested):
    (save,) = functions_of(tampered, "traced_save")
    (wrapper,) = functions_of(tampered, "signature_wrapper")
    call = wrapper.node_def.add(name="sneaky", op="PartitionedCall")
    function = call.attr["f"].func
    if nested:
        function.name = wrapper.signature.name
        function = function.attr["inner"].func
    function.name = save.signature.name
    assert ("SaveV2", "SaveV2") in found_in(tampered)


def test_a_saver_that_the_runtime_may_put_in_anothers_place_is_found(tampered):
    (save,) = functions_of(tampered, "traced_save")
    save.attr["api_implements"].s = b"classify"
    assert ("SaveV2", "SaveV2") in found_in(tampered)


@pytest.mark.parametrize("part", ["whole", "sparse", "composite"])
def test_a_signature_that_gives_what_the_saver_saves_is_found(tampered, part):
    graph = tampered.meta_graphs[0]
    output = graph.signature_def["serving_default"].outputs["sneaky"]
    if part == "sparse":
        output.coo_sparse.values_tensor_name = graph.saver_def.save_tensor_name
    else:
        tensor = output if part == "whole" else output.composite_tensor.components.add()
        tensor.name = graph.saver_def.save_tensor_name
    assert ("SaveV2", "SaveV2") in found_in(tampered)


def test_what_the_loader_runs_first_is_looked_at(tampered):
    graph = tampered.meta_graphs[0]
    save = graph.saver_def.save_tensor_name.partition(":")[0]
    graph.collection_def["saved_model_main_op"].node_list.value[:] = [save]
    assert ("SaveV2", "SaveV2") in found_in(tampered)


def test_a_node_that_waits_for_the_saver_is_looked_at(tampered):
    graph = tampered.meta_graphs[0]
    save = graph.saver_def.save_tensor_name.partition(":")[0]
    graph.graph_def.node.add(name="patient", op="NoOp", input=[f"^{save}"])
    assert ("SaveV2", "SaveV2") in found_in(tampered)


def test_other_graphs_of_the_file_are_looked_at(tampered):
    tampered.meta_graphs.add().graph_def.node.add(name="elsewhere", op="ReadFile")
    assert found_in(tampered) == [("ReadFile", "elsewhere")]


@pytest.mark.parametrize("name", ["idle", "Relu"], ids=["called by nobody", "called as operations are"])
def test_every_function_is_looked_at(tampered, name):
    function = tampered.meta_graphs[0].graph_def.library.function.add()
    function.signature.name = name
    function.node_def.add(name="sneaky", op="WriteFile")
    assert found_in(tampered) == [("WriteFile", "sneaky")]


@pytest.mark.parametrize("kind", ["node", "function"])
def test_a_name_that_is_given_twice_is_refused(tampered, kind):
    graph = tampered.meta_graphs[0].graph_def
    if kind == "node":
        graph.node.add(name=graph.node[0].name, op="WriteFile")
    else:
        graph.library.function.add().signature.name = graph.library.function[0].signature.name
    with pytest.raises(ModelRejected, match="given twice"):
        unsafe_operations(tampered)


def test_an_operation_that_is_new_to_the_list_is_refused(tampered):
    tampered.meta_graphs[0].graph_def.node.add(name="new", op="OpenTheDoor")
    assert found_in(tampered) == [("OpenTheDoor", "new")]


@pytest.mark.parametrize("content", [None, b"no message"])
def test_what_is_no_saved_model_is_refused_though_it_is_there_in_text(tmp_path, content):
    (tmp_path / "saved_model.pbtxt").write_text("saved_model_schema_version: 1")
    if content:
        (tmp_path / GRAPH_FILE).write_bytes(content)
    with pytest.raises(ModelRejected, match=r"saved_model\.pb is not one that can be read"):
        check_safety(tmp_path)


def test_the_list_names_operations_that_exist_and_none_that_reach_outside():
    known = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    assert (ALLOWED | RESTORING | SAVING) - {operation.name for operation in known.op} == set()
    outside = (
        "File Func Py Rpc Send Recv Dataset Iterator Reader Save Restore Debug Print Sleep Queue Remote Dump Abort"
    )
    outside = (*outside.split(), "Summary", "ImmutableConst", "Session", "Custom")
    assert [name for name in ALLOWED if any(part in name for part in outside)] == []
