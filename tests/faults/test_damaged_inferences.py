"""Damaged requests of the Open Inference Protocol, over gRPC and HTTP: refused by documented statuses, and counted."""

import json

import grpc
import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.books import Books
from tests.serving.doors.open_inference.asking import about_rows
from tests.serving.fakes import PATIENCE, FreeEngine

INFER = "/inference.GRPCInferenceService/ModelInfer"
ROW = np.full((1, 8, 8, 1), 250, np.uint8)
MESSAGE = about_rows(ROW).SerializeToString()
INPUT = {"name": "pictures", "datatype": "UINT8", "shape": ROW.shape, "data": ROW.ravel().tolist()}
JSON = json.dumps({"id": "a", "inputs": [INPUT], "outputs": [{"name": "label"}]}).encode()
DOCUMENTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@pytest.fixture
def server(unharmed):
    with unharmed(shades=FreeEngine()) as server:
        yield server


def damaged(whole: bytes):
    """Arbitrary bytes, and `whole` cut short or with bytes changed."""
    at = st.integers(0, len(whole) - 1)
    changes = st.lists(st.tuples(at, st.integers(0, 255)), max_size=4)
    return st.binary(max_size=200) | at.map(lambda end: whole[:end]) | changes.map(lambda some: _changed(whole, some))


def _changed(whole: bytes, changes: list[tuple[int, int]]) -> bytes:
    body = bytearray(whole)
    for at, value in changes:
        body[at] = value
    return bytes(body)


def test_messages_with_random_damage_get_documented_statuses(server):
    infer = server.channel.unary_unary(INFER)

    @settings(max_examples=30)
    @given(st.lists(damaged(MESSAGE), min_size=20, max_size=20))
    def check(bodies):
        calls = [infer.future(body, timeout=PATIENCE) for body in bodies]
        assert {call.code() for call in calls} <= DOCUMENTED

    check()


def test_json_with_random_damage_gets_documented_statuses(server):
    url = f"http://127.0.0.1:{server.server.http_port}/v2/models/shades/infer"
    with httpx.Client(timeout=PATIENCE) as client:

        @settings(max_examples=150)
        @given(damaged(JSON), st.none() | st.integers(-1, len(JSON) + 1))
        def check(body, length):
            headers = {} if length is None else {"Inference-Header-Content-Length": str(length)}
            assert client.post(url, content=body, headers=headers).status_code in (200, 400)

        check()


def test_a_message_that_is_none_is_counted(server):
    server.channel.unary_unary(INFER).future(b"\xff" * 50, timeout=PATIENCE).code()
    assert Books(server).calls(method="ModelInfer", model="", status="INVALID_ARGUMENT") == 1


def test_an_item_of_a_stream_that_is_none_leaves_it_open(server):
    converse = server.channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
    first, second = converse(iter([b"\xff" * 50, MESSAGE]), timeout=PATIENCE)
    assert b"A request is a message inference.ModelInferRequest" in first
    assert b"probabilities" in second
