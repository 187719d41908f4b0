"""Tensors are held to the bytes that may be in flight, by every protocol that has them, for as long as a thread reads
them.
"""

import math
import time
from dataclasses import replace

import grpc
import httpx
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from protos import open_inference_pb2
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from serving.models.catalogue import ServedModel
from serving.models.plain import PlainVersion
from serving.models.repository import Repository
from tests.serving.fakes import PATIENCE
from tests.serving.loops import eventually
from tests.serving.models.test_signature_calls import DOUBLE, HeldSignatures
from tests.serving.running import running

X = np.ones((1, 2), np.float32)


def over_open_inference(server) -> grpc.Future:
    x = open_inference_pb2.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=X.shape)
    request = open_inference_pb2.ModelInferRequest(model_name="doubles", inputs=[x], raw_input_contents=[X.tobytes()])
    return GRPCInferenceServiceStub(server.channel).ModelInfer.future(request, timeout=PATIENCE)


def over_tensorflow_serving(server) -> grpc.Future:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "doubles"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(X))
    return PredictionServiceStub(server.channel).Predict.future(request, timeout=PATIENCE)


ASKED = {"Open Inference": over_open_inference, "TensorFlow Serving": over_tensorflow_serving}


def refused(call: grpc.Future) -> bool:
    """Whether it was for want of room."""
    error = call.exception()
    return error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "pictures, rows and tensors" in error.details()


@pytest.fixture
def held():
    signatures = HeldSignatures()
    signatures.all = {"serving_default": replace(DOUBLE, name="serving_default")}
    return signatures


@pytest.fixture
def server(loop, held):
    """Two calls' bytes are more than it has room for."""

    def load(*_) -> Repository:
        version = PlainVersion("doubles", 1, held, threads=2, clock=time.monotonic)
        return Repository({"doubles": ServedModel("doubles", {1: version})}, {})

    with running(loop, load, max_bytes_in_flight=math.ceil(1.5 * X.nbytes)) as server:
        yield server


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_more_are_refused_until_those_before_are_answered(server, held, ask):
    first = ask(server)
    assert held.entered.acquire(timeout=PATIENCE)
    assert refused(ask(server))
    held.go_on.release()
    assert first.result()
    held.go_on.release()
    assert ask(server).result()


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_what_a_thread_still_reads_is_held_though_its_caller_has_gone(server, held, loop, ask):
    gone = ask(server)
    assert held.entered.acquire(timeout=PATIENCE)
    gone.cancel()
    loop.run(server.server.repository.models["doubles"].servables[1].holds.ended())
    assert refused(ask(server))
    held.go_on.release()
    held.go_on.release()
    eventually(lambda: not ask(server).exception())


def test_rest_is_held_to_it_as_well(server, held):
    first = over_tensorflow_serving(server)
    assert held.entered.acquire(timeout=PATIENCE)
    url = f"http://127.0.0.1:{server.server.http_port}/v1/models/doubles:predict"
    assert httpx.post(url, json={"instances": X.tolist()}, timeout=PATIENCE).status_code == 429
    held.go_on.release()
    assert first.result()
