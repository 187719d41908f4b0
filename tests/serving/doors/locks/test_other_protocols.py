"""Other protocols behind the same lock: what a caller may not ask, they do not tell of either."""

import json

import grpc
import httpx
import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from protos import open_inference_pb2 as inference
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.running import of_engines

SHADES = "token-for-shades-alone"
METADATA = (("authorization", f"Bearer {SHADES}"),)


@pytest.fixture(scope="module")
def locked(loop, tmp_path_factory):
    tokens = tmp_path_factory.mktemp("locks") / "tokens.yaml"
    tokens.write_text(json.dumps([{"name": "shades", "token": SHADES, "models": ["shades"]}]))
    with of_engines(
        loop,
        {"choir": {"shades": 1, "tones": 1}},
        settings={"tokens_file": tokens},
        shades=FreeEngine(),
        tones=FreeEngine(),
    ) as server:
        yield server


@pytest.fixture
def http(locked):
    url = f"http://127.0.0.1:{locked.server.http_port}"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {SHADES}"}, timeout=PATIENCE) as client:
        yield client


def code_of(call, request) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refused:
        call(request, timeout=PATIENCE, metadata=METADATA)
    return refused.value.code()


def test_an_index_of_open_inference_names_what_the_caller_may_ask(locked, http):
    stub = GRPCInferenceServiceStub(locked.channel)
    listed = stub.RepositoryIndex(inference.RepositoryIndexRequest(), timeout=PATIENCE, metadata=METADATA).models
    counted = stub.ModelStatistics(inference.ModelStatisticsRequest(), timeout=PATIENCE, metadata=METADATA).model_stats
    assert {each.name for each in listed} == {each.name for each in counted} == {"shades"}
    assert {each["name"] for each in http.post("/v2/repository/index").json()} == {"shades"}


def test_a_model_that_may_not_be_asked_is_refused_whether_it_is_there_or_not(locked, http):
    of_open_inference = GRPCInferenceServiceStub(locked.channel)
    for name in ("tones", "choir", "absent"):
        assert code_of(of_open_inference.ModelMetadata, inference.ModelMetadataRequest(name=name)).name == (
            "PERMISSION_DENIED"
        )
        assert http.get(f"/v2/models/{name}").status_code == 403
        assert http.get(f"/v1/models/{name}").status_code == 403


def test_neither_labels_nor_members_of_it_are_told_to_tensorflow_serving_s_clients(locked):
    predict = prediction_service_pb2_grpc.PredictionServiceStub(locked.channel).Predict
    status = model_service_pb2_grpc.ModelServiceStub(locked.channel).GetModelStatus
    for name in ("tones", "choir", "absent"):
        labelled = predict_pb2.PredictRequest()
        labelled.model_spec.name, labelled.model_spec.version_label = name, "no such label"
        assert code_of(predict, labelled) is grpc.StatusCode.PERMISSION_DENIED
        plain = predict_pb2.PredictRequest()
        plain.model_spec.name = name
        assert code_of(predict, plain) is grpc.StatusCode.PERMISSION_DENIED
        asked = get_model_status_pb2.GetModelStatusRequest()
        asked.model_spec.name = name
        assert code_of(status, asked) is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
def test_probes_of_open_inference_are_open(locked, path):
    response = httpx.get(f"http://127.0.0.1:{locked.server.http_port}{path}", timeout=PATIENCE)
    assert response.status_code == 200


def test_probes_of_open_inference_over_grpc_are_open(locked):
    stub = GRPCInferenceServiceStub(locked.channel)
    assert stub.ServerLive(inference.ServerLiveRequest(), timeout=PATIENCE).live
    assert stub.ServerReady(inference.ServerReadyRequest(), timeout=PATIENCE).ready
