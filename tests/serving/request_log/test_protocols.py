"""Calls are kept whichever protocol they came by, and in the terms of our own."""

import httpx
import numpy as np
import pytest
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from protos import classification_pb2 as pb
from protos import open_inference_pb2_grpc
from serving.models.declaration import CanaryDeclaration, TrialDeclaration
from serving.models.repository import Repository, ServedModel
from serving.request_log.reading import recorded_in
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.doors.open_inference.asking import about_pictures, about_rows
from tests.serving.fakes import PATIENCE, FreeEngine, fake_servable
from tests.serving.loops import eventually
from tests.serving.picture_files import file_of
from tests.serving.running import Running, of_engines, running


def picture(level: int) -> bytes:
    return file_of(np.full((8, 8), level, np.uint8))


def by_grpc(server: Running) -> None:
    server.stub.Classify(pb.ClassifyRequest(encoded=picture(BRIGHT)), timeout=PATIENCE)


def by_rest(server: Running) -> None:
    url = f"http://127.0.0.1:{server.server.http_port}/v1/classify"
    httpx.post(url, content=picture(BRIGHT), headers={"Content-Type": "image/png"}, timeout=PATIENCE)


def by_tensorflow_serving(server: Running) -> None:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "shades"
    features = request.input.example_list.examples.add().features.feature
    features["image/encoded"].bytes_list.value.append(picture(BRIGHT))
    PredictionServiceStub(server.channel).Classify(request, timeout=PATIENCE)


def by_open_inference(server: Running) -> None:
    stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(server.channel)
    stub.ModelInfer(about_pictures(picture(BRIGHT)), timeout=PATIENCE)


PROTOCOLS = {
    "tencrop.v1.Classification/Classify": by_grpc,
    "POST /v1/classify": by_rest,
    "tensorflow.serving.PredictionService/Classify": by_tensorflow_serving,
    "inference.GRPCInferenceService/ModelInfer": by_open_inference,
}


def keeping(directory, **settings) -> dict:
    return {"request_log": directory, "request_log_percent": 100, "request_log_pictures": "bytes", **settings}


@pytest.mark.parametrize("method", PROTOCOLS)
def test_a_picture_is_kept_whatever_protocol_it_came_by(loop, tmp_path, method):
    with of_engines(loop, shades=FreeEngine(), settings=keeping(tmp_path)) as server:
        PROTOCOLS[method](server)
    (call,) = recorded_in(tmp_path)
    assert call.method == method
    assert call.request.encoded == picture(BRIGHT)
    assert call.response.label == label_of(BRIGHT)
    assert call.request_id


def test_each_picture_of_a_request_is_a_record(loop, tmp_path):
    with of_engines(loop, shades=FreeEngine(), settings=keeping(tmp_path)) as server:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(server.channel)
        stub.ModelInfer(about_pictures(picture(BRIGHT), picture(DARK)), timeout=PATIENCE)
    calls = list(recorded_in(tmp_path))
    assert {call.response.label for call in calls} == {label_of(BRIGHT), label_of(DARK)}
    assert len({call.request_id for call in calls}) == 1


def test_rows_that_a_caller_has_cut_are_not_kept(loop, tmp_path):
    with of_engines(loop, shades=FreeEngine(), settings=keeping(tmp_path)) as server:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(server.channel)
        stub.ModelInfer(about_rows(np.zeros((2, 8, 8, 1), np.uint8)), timeout=PATIENCE)
        server.classify(asked(DARK))
    assert [call.method for call in recorded_in(tmp_path)] == ["tencrop.v1.Classification/Classify"]


def test_calls_to_a_canary_are_kept_as_callers_made_them_and_copies_for_a_shadow_are_not(loop, tmp_path):
    asked_too = FreeEngine()

    def load(settings, metrics) -> Repository:
        shades = {1: fake_servable("shades", 1), 2: fake_servable("shades", 2)}
        tones = {1: fake_servable("tones", 1), 2: fake_servable("tones", 2, asked_too)}
        canary, shadow = CanaryDeclaration(version=2, percent=100), TrialDeclaration(version=2, percent=100)
        tried = ServedModel("shades", shades, canary=canary), ServedModel("tones", tones, shadow=shadow)
        return Repository({model.name: model for model in tried}, {})

    with running(loop, load, **keeping(tmp_path)) as server:
        server.classify(asked(DARK))
        server.classify(asked(DARK, "tones"))
        eventually(lambda: asked_too.batches)
    calls = list(recorded_in(tmp_path))
    assert [call.request for call in calls] == [asked(DARK), asked(DARK, "tones")]
    assert [call.response.model_versions[0].version for call in calls] == [2, 1]
