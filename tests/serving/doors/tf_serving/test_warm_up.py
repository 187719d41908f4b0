"""A version is asked the requests that it brings along, before callers ask it."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.doors.tf_serving.warm_up import MAX_RECORDS, REQUESTS, replay
from serving.errors import ModelRejected
from serving.models.engines.saved_model import SavedModelSignatures
from serving.models.signatures import PREDICT, Signature, TensorSpec
from tests.serving.doors.tf_serving import halves
from tests.serving.fakes import FreeEngine, fake_servable


class AskedSignatures(SavedModelSignatures):
    """Those of a SavedModel, and what they were asked."""

    def __init__(self, directory) -> None:
        super().__init__(directory)
        self.asked: list[tuple[str, list[str]]] = []

    def run(self, signature, inputs, outputs):
        self.asked.append((signature.name, list(outputs)))
        return super().run(signature, inputs, outputs)


@pytest.fixture
def version(tmp_path):
    halves.save(tmp_path)
    (tmp_path / REQUESTS).parent.mkdir()
    return tmp_path


def write(version, *logs):
    with tf.io.TFRecordWriter(str(version / REQUESTS)) as file:
        for each in logs:
            file.write(each.SerializeToString())


def predict_log(signature="", outputs=(), **inputs):
    made = prediction_log_pb2.PredictionLog()
    request = made.predict_log.request
    request.model_spec.signature_name = signature
    request.output_filter.extend(outputs)
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return made


def inference_log(kind, signature):
    made = prediction_log_pb2.PredictionLog()
    if kind == "multi_inference_log":
        request = made.multi_inference_log.request
        request.tasks.add().model_spec.signature_name = signature
    else:
        request = getattr(made, kind).request
        request.model_spec.signature_name = signature
    request.input.example_list.examples.add().features.feature["x"].float_list.value.append(1.0)
    return made


X = np.array([1.0], np.float32)


def test_requests_of_every_kind_are_asked_in_order(version):
    write(
        version,
        predict_log(x=X),
        predict_log("sum_up", ["sum"], x=X),
        inference_log("classify_log", "classify_x"),
        inference_log("regress_log", "tensorflow/serving/regress"),
        inference_log("multi_inference_log", "classify_x"),
        inference_log("classify_log", "ten"),
    )
    signatures = AskedSignatures(version)
    replay(version, fake_servable(signatures=signatures))
    assert signatures.asked == [
        ("serving_default", ["y"]),
        ("sum_up", ["sum"]),
        ("classify_x", ["classes", "scores"]),
        ("tensorflow/serving/regress", ["outputs"]),
        ("classify_x", ["classes", "scores"]),
    ]


def test_rows_of_pictures_are_met_by_the_engine_that_serves_them(version):
    rows = np.full((3, 8, 8, 1), 7, np.uint8)
    write(version, predict_log(outputs=["logits"], pictures=rows))
    signatures, engine = AskedSignatures(version), FreeEngine()
    pictures = TensorSpec("pictures:0", "DT_UINT8", (None, 8, 8, 1))
    logits = TensorSpec("logits:0", "DT_FLOAT", (None, 3))
    name = "serving_default"
    signatures.all = {name: Signature(name, PREDICT, {"pictures": pictures}, {"logits": logits})}
    replay(version, fake_servable(engine=engine, signatures=signatures))
    assert signatures.asked == []
    np.testing.assert_array_equal(engine.batches, [rows])


def test_a_version_without_requests_is_asked_nothing(version):
    signatures = AskedSignatures(version)
    replay(version, fake_servable(signatures=signatures))
    assert signatures.asked == []


BAD = {
    "one request too many": lambda version: write(version, *[inference_log("classify_log", "ten")] * (MAX_RECORDS + 1)),
    "a request that is refused": lambda version: write(version, predict_log(z=X)),
    "an unknown signature": lambda version: write(version, predict_log("nothing", x=X)),
    "no request": lambda version: write(version, prediction_log_pb2.PredictionLog()),
    "no TFRecord": lambda version: (version / REQUESTS).write_bytes(b"requests"),
    "half a TFRecord": lambda version: (
        write(version, predict_log(x=X)),
        (version / REQUESTS).write_bytes((version / REQUESTS).read_bytes()[:-7]),
    ),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_a_version_with_requests_that_it_cannot_answer_is_rejected(version, spoil):
    spoil(version)
    with pytest.raises(ModelRejected, match="warmed up"):
        replay(version, fake_servable(signatures=SavedModelSignatures(version)))
