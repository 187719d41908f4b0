"""What ends around a call: the version that it asks, which stays until then, and the server, which takes no new one."""

import asyncio
import math

import grpc
import numpy as np
import pytest
import tensorflow as tf

from serving.aside import MANY_ELEMENTS
from serving.doors.drain import Drain
from serving.doors.tf_serving import predictions
from serving.doors.tf_serving.apis import predict_pb2
from serving.doors.tf_serving.calls import Calls
from serving.doors.tf_serving.servicers import PredictionServicer
from serving.doors.tf_serving.tensors import from_array
from serving.metrics import Metrics
from serving.models.repository import Repository, ServedModel
from serving.pipeline.prediction import Predictor
from serving.pipeline.room import Room
from serving.pipeline.router import Router
from tests.serving.fakes import PATIENCE, FakeClock, fake_servable
from tests.serving.loops import on_a_loop
from tests.serving.models.test_signature_calls import HeldSignatures

REQUEST = predict_pb2.PredictRequest()
REQUEST.model_spec.name, REQUEST.model_spec.signature_name = "shades", "double"
REQUEST.inputs["x"].CopyFrom(tf.make_tensor_proto([[1.0, 2.0]]))


class Refused(Exception):
    """A call was ended by a status."""


class Context:
    """A call without a deadline."""

    def time_remaining(self) -> None:
        return None

    async def abort(self, code, details, trailers) -> None:
        raise Refused(code)


@on_a_loop
async def test_a_version_is_held_until_its_call_has_ended():
    signatures = HeldSignatures()
    servable = fake_servable(signatures=signatures)
    repository = Repository({"shades": ServedModel("shades", {1: servable})}, {})
    router = Router(repository, Metrics(), FakeClock())
    calls = Calls(repository, Metrics(), FakeClock())
    predictor = Predictor(Room(2**10, "bytes"))
    call = asyncio.ensure_future(predictions.predict(router, predictor, repository, calls, REQUEST, math.inf))
    assert await asyncio.to_thread(signatures.entered.acquire, timeout=PATIENCE)
    ended = asyncio.ensure_future(servable.holds.ended())
    await asyncio.sleep(0)
    assert not ended.done()
    signatures.go_on.release()
    assert list((await call).outputs["y"].float_val) == [2.0, 4.0]
    await ended
    await servable.close()


@pytest.mark.parametrize(("rows", "on_the_loop"), [(1, True), (MANY_ELEMENTS, False)])
@on_a_loop
async def test_outputs_of_many_elements_are_written_beside_the_loop(monkeypatch, rows, on_the_loop):
    found = []

    def watched(array):
        found.append(asyncio._get_running_loop() is not None)
        return from_array(array)

    monkeypatch.setattr(predictions, "from_array", watched)
    signatures = HeldSignatures()
    signatures.go_on.release()
    servable = fake_servable(signatures=signatures)
    repository = Repository({"shades": ServedModel("shades", {1: servable})}, {})
    router, calls = Router(repository, Metrics(), FakeClock()), Calls(repository, Metrics(), FakeClock())
    request = predict_pb2.PredictRequest(model_spec=REQUEST.model_spec)
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.ones((rows, 2), np.float32)))
    predictor = Predictor(Room(2**30, "bytes"))
    response = await predictions.predict(router, predictor, repository, calls, request, math.inf)
    assert list(response.outputs["y"].float_val) == [2.0] * 2 * rows
    assert found == [on_the_loop]
    await servable.close()


@on_a_loop
async def test_a_server_that_stops_refuses_new_calls():
    repository, drain = Repository({}, {}), Drain()
    calls = Calls(repository, Metrics(), FakeClock())
    router = Router(repository, Metrics(), FakeClock())
    servicer = PredictionServicer(None, router, Predictor(Room(2**10, "bytes")), repository, calls, drain)
    with pytest.raises(Refused) as refused:
        await servicer.Predict(REQUEST, Context())
    assert refused.value.args == (grpc.StatusCode.NOT_FOUND,)
    drain.stop()
    with pytest.raises(Refused) as refused:
        await servicer.Predict(REQUEST, Context())
    assert refused.value.args == (grpc.StatusCode.UNAVAILABLE,)
