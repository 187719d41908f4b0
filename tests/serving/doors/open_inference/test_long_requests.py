"""What takes long to read or to write does so beside the event loop, and all else on it."""

import asyncio
import time

import httpx
import numpy as np
import pytest

from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from serving.aside import MANY_BYTES, MANY_ELEMENTS
from serving.doors.open_inference import rest, servicer
from serving.models.catalogue import ServedModel
from serving.models.plain import PlainVersion
from serving.models.repository import Repository
from serving.models.signatures import PREDICT, Signature, Signatures, TensorSpec
from tests.serving.fakes import PATIENCE
from tests.serving.running import running


class GivesBack(Signatures):
    """What came."""

    def __init__(self) -> None:
        x, y = (TensorSpec(f"{name}:0", "DT_FLOAT", (None,)) for name in "xy")
        self.all = {"serving_default": Signature("serving_default", PREDICT, {"x": x}, {"y": y})}

    def run(self, signature, inputs, outputs):
        return dict.fromkeys(outputs, inputs["x"])

    def close(self) -> None:
        """Nothing was loaded."""


@pytest.fixture(scope="module")
def server(loop):
    def load(*_) -> Repository:
        return Repository(
            {"back": ServedModel("back", {1: PlainVersion("back", 1, GivesBack(), 1, time.monotonic)})}, {}
        )

    with running(loop, load) as server:
        yield server


@pytest.fixture
def on_the_loop(monkeypatch):
    """Whether what reads, and then what writes, was called on the event loop."""
    found: list[bool] = []

    def watch(module, name):
        work = getattr(module, name)

        def watched(*given):
            found.append(asyncio._get_running_loop() is not None)
            return work(*given)

        monkeypatch.setattr(module, name, watched)

    for module, writes in ((rest, "body_of"), (servicer, "response_of")):
        watch(module, "question_in")
        watch(module, writes)
    return found


GRPC = {"short": (1, [True, True]), "long": (MANY_ELEMENTS + 1, [False, False])}
HTTP = {
    "short": (1, [True, True]),
    "an answer": (MANY_ELEMENTS + 1, [True, False]),
    "both": (MANY_BYTES, [False, False]),
}


@pytest.mark.parametrize(("count", "expected"), GRPC.values(), ids=GRPC)
def test_a_long_message_is_read_and_written_beside_the_loop(server, on_the_loop, count, expected):
    request = pb.ModelInferRequest(model_name="back")
    request.inputs.add(name="x", datatype="FP32", shape=[count]).contents.fp32_contents.extend([0.5] * count)
    response = GRPCInferenceServiceStub(server.channel).ModelInfer(request, timeout=PATIENCE)
    assert list(response.outputs[0].contents.fp32_contents) == [0.5] * count
    assert on_the_loop == expected


@pytest.mark.parametrize(("count", "expected"), HTTP.values(), ids=HTTP)
def test_a_long_body_is_read_and_written_beside_the_loop(server, on_the_loop, count, expected):
    given = {"name": "x", "datatype": "FP32", "shape": [count], "data": [5] * count}
    url = f"http://127.0.0.1:{server.server.http_port}/v2/models/back/infer"
    answer = httpx.post(url, json={"inputs": [given]}, timeout=PATIENCE).raise_for_status()
    np.testing.assert_array_equal(answer.json()["outputs"][0]["data"], 5.0)
    assert on_the_loop == expected
