"""Predict, asked by TensorFlow Serving's own stub with tensors that TensorFlow made."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from tests.serving.choir import SHADES_1, SHADES_2
from tests.serving.fakes import PATIENCE


def request(model, signature="", version=None, label=None, outputs=(), **inputs):
    asked = predict_pb2.PredictRequest(output_filter=outputs)
    asked.model_spec.name, asked.model_spec.signature_name = model, signature
    if version:
        asked.model_spec.version.value = version
    if label:
        asked.model_spec.version_label = label
    for name, value in inputs.items():
        asked.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return asked


def predict(asked, *args, **options):
    return asked.prediction.Predict(request(*args, **options), timeout=PATIENCE)


def rows(count=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *SHADES_1.input_shape), np.uint8)


@pytest.mark.parametrize(
    ("choice", "model"), [({}, SHADES_2), ({"version": 1}, SHADES_1), ({"label": "production"}, SHADES_1)]
)
def test_the_version_that_is_asked_answers_and_is_named(pictures, choice, model):
    answer = predict(pictures, "shades", outputs=["logits"], pictures=rows(), **choice)
    assert list(answer.outputs) == ["logits"]
    np.testing.assert_allclose(tf.make_ndarray(answer.outputs["logits"]), model.logits(rows()), rtol=1e-6)
    spec = answer.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("shades", model.version, "serving_default")


def test_rows_of_the_default_signature_run_in_the_batches_of_all_callers(pictures):
    before = pictures.server.sample("tencrop_batch_rows_sum", model="shades", version="2")
    predict(pictures, "shades", outputs=["logits"], pictures=rows(20))
    assert pictures.server.sample("tencrop_batch_rows_sum", model="shades", version="2") == before + 20


def test_without_a_filter_all_outputs_of_the_signature_are_given(pictures):
    answer = predict(pictures, "shades", pictures=rows())
    assert set(answer.outputs) == {"logits", "rows"}
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["rows"]), rows().reshape(3, -1).astype(np.float32))
    np.testing.assert_allclose(tf.make_ndarray(answer.outputs["logits"]), SHADES_2.logits(rows()), rtol=1e-6)


def test_another_signature_of_an_image_model_is_answered(pictures):
    canvas = np.random.default_rng(3).integers(0, 256, (1, 14, 13, 3), np.uint8)
    answer = predict(pictures, "shades", "dense", pictures=canvas)
    expected = SHADES_2.dense_logits(canvas[0])
    np.testing.assert_allclose(tf.make_ndarray(answer.outputs["logits"])[0], expected, rtol=1e-5)


def test_every_type_of_tensor_goes_in_and_comes_out(numbers):
    answer = predict(
        numbers,
        "half_plus_three",
        "readings",
        tag=np.array([b"\xff\x00", b"bar"], object),
        signal=np.array([[1, 2], [3, 2**40]]),
        sensor=np.array([0.1, np.inf]),
    )
    found = {name: tf.make_ndarray(proto) for name, proto in answer.outputs.items()}
    assert found["tag"].tolist() == found["raw_bytes"].tolist() == [b"\xff\x00", b"bar"]
    assert found["total"].tolist() == [3, 3 + 2**40]
    assert found["sensor"].tolist() == [0.1, np.inf]


def test_outputs_are_typed_values_as_clients_read_them(numbers):
    answer = predict(numbers, "half_plus_three", x=np.array([1, 2, 5], np.float32))
    assert list(answer.outputs["y"].float_val) == [3.5, 4.0, 5.5]


def test_raw_content_is_taken_like_typed_values(numbers):
    asked = request("half_plus_three", x=np.array([1, 2, 5], np.float32))
    assert asked.inputs["x"].tensor_content
    answer = numbers.prediction.Predict(asked, timeout=PATIENCE)
    assert list(answer.outputs["y"].float_val) == [3.5, 4.0, 5.5]


X = np.array([1.0], np.float32)
REFUSED = {
    "no name": (request("", x=X), "INVALID_ARGUMENT"),
    "an unknown model": (request("half", x=X), "NOT_FOUND"),
    "an unknown version": (request("half_plus_three", version=7, x=X), "NOT_FOUND"),
    "an unknown label": (request("half_plus_three", label="canary", x=X), "INVALID_ARGUMENT"),
    "an unknown signature": (request("half_plus_three", "nothing", x=X), "FAILED_PRECONDITION"),
    "an unknown input": (request("half_plus_three", z=X), "INVALID_ARGUMENT"),
    "an input too many": (request("half_plus_three", x=X, z=X), "INVALID_ARGUMENT"),
    "no input": (request("half_plus_three"), "INVALID_ARGUMENT"),
    "another type": (request("half_plus_three", x=np.array([1])), "INVALID_ARGUMENT"),
    "another shape": (request("half_plus_three", x=np.zeros((1, 1), np.float32)), "INVALID_ARGUMENT"),
    "an unknown output": (request("half_plus_three", outputs=["z"], x=X), "INVALID_ARGUMENT"),
    "an output twice": (request("half_plus_three", outputs=["y", "y"], x=X), "INVALID_ARGUMENT"),
    "what the graph refuses": (
        request("half_plus_three", "gather", x=np.array([1], np.int32), y=np.array([7], np.int32)),
        "INVALID_ARGUMENT",
    ),
}


@pytest.mark.parametrize(("asked", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_has_the_status_that_tensorflow_serving_gives(numbers, asked, code):
    with pytest.raises(grpc.RpcError) as refused:
        numbers.prediction.Predict(asked, timeout=PATIENCE)
    assert refused.value.code().name == code
    assert len(refused.value.details()) > 20


@pytest.mark.parametrize("shape", [(0, 12, 12, 3), (1, 12, 11, 3)])
def test_no_rows_or_rows_of_another_shape_are_refused(pictures, shape):
    with pytest.raises(grpc.RpcError) as refused:
        predict(pictures, "shades", outputs=["logits"], pictures=np.zeros(shape, np.uint8))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_an_ensemble_has_no_signatures_and_says_whom_to_ask(pictures):
    with pytest.raises(grpc.RpcError) as refused:
        predict(pictures, "choir", pictures=rows())
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "greys" in refused.value.details()


def test_a_body_that_is_no_message_is_refused(numbers):
    ask = numbers.server.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    with pytest.raises(grpc.RpcError) as refused:
        ask(b"\xff" * 9, timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "tensorflow.serving.PredictRequest" in refused.value.details()
