"""What the door says of a server that stops, and of a model that fails."""

import grpc
import httpx
import numpy as np
import pytest

from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from tests.serving.doors.open_inference.asking import about_rows
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.running import Running, of_engines

ROW = np.zeros((1, 8, 8, 1), np.uint8)


def broken(rows: np.ndarray) -> np.ndarray:
    raise RuntimeError("no device")


@pytest.fixture
def stopping(loop):
    """A server whose calls are being drained."""
    with of_engines(loop, shades=FreeEngine()) as server:
        server.server._drain.stop()
        yield server


@pytest.fixture
def ailing(loop):
    """A server of a model whose last batch failed, and of one that is well."""
    with of_engines(loop, shades=FreeEngine(broken), tones=FreeEngine()) as server:
        with pytest.raises(grpc.RpcError) as error:
            stub_of(server).ModelInfer(about_rows(ROW), timeout=PATIENCE)
        assert error.value.code() == grpc.StatusCode.INTERNAL
        assert "no device" not in error.value.details()
        yield server


def stub_of(server: Running) -> GRPCInferenceServiceStub:
    return GRPCInferenceServiceStub(server.channel)


def http(server: Running, method: str, path: str) -> httpx.Response:
    return httpx.request(method, f"http://127.0.0.1:{server.server.http_port}/v2{path}", timeout=PATIENCE)


def test_a_server_that_stops_is_live_and_not_ready(stopping):
    assert stub_of(stopping).ServerLive(pb.ServerLiveRequest(), timeout=PATIENCE).live
    assert not stub_of(stopping).ServerReady(pb.ServerReadyRequest(), timeout=PATIENCE).ready
    assert http(stopping, "GET", "/health/live").status_code == 200
    assert http(stopping, "GET", "/health/ready").status_code == 503


def test_a_server_that_stops_takes_no_requests(stopping):
    with pytest.raises(grpc.RpcError) as error:
        stub_of(stopping).ModelInfer(about_rows(ROW), timeout=PATIENCE)
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    assert http(stopping, "POST", "/models/shades/infer").status_code == 503


def test_a_stream_to_a_server_that_stops_ends(stopping):
    with pytest.raises(grpc.RpcError) as error:
        list(stub_of(stopping).ModelStreamInfer(iter([about_rows(ROW)]), timeout=PATIENCE))
    assert error.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_model_that_fails_is_not_ready_and_the_others_are(ailing):
    ready = {
        name: stub_of(ailing).ModelReady(pb.ModelReadyRequest(name=name), timeout=PATIENCE).ready
        for name in ("shades", "tones")
    }
    assert ready == {"shades": False, "tones": True}
    refused = http(ailing, "GET", "/models/shades/ready")
    assert refused.status_code == 503
    assert "failed on its last batch" in refused.json()["error"]


def test_the_index_says_why_a_model_is_not_ready(ailing):
    indexed = {each["name"]: each for each in http(ailing, "POST", "/repository/index").json()}
    assert indexed["shades"]["state"] == "UNAVAILABLE"
    assert "failed on its last batch" in indexed["shades"]["reason"]
    assert indexed["tones"] == {"name": "tones", "version": "1", "state": "READY", "reason": ""}
    ready = stub_of(ailing).RepositoryIndex(pb.RepositoryIndexRequest(ready=True), timeout=PATIENCE).models
    assert [each.name for each in ready] == ["tones"]
