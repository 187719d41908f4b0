"""Status, metadata, metrics and reflection: what TensorFlow Serving's clients learn of a server."""

import base64
import re

import grpc
import pytest
import tensorflow as tf
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_management_pb2, predict_pb2

from serving.doors.tf_serving.monitoring import PATH
from serving.models.signatures import CLASSIFY, REGRESS
from tests.serving.doors.tf_serving.test_inference import tasks
from tests.serving.fakes import PATIENCE
from tests.serving.picture_files import file_of, noise

PICTURE = base64.b64encode(file_of(noise(24, 20))).decode()
RUNTIME = ":tensorflow:serving:runtime_latency"
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


def status(asked, name, version=None, label=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    return asked.model.GetModelStatus(request, timeout=PATIENCE).model_version_status


@pytest.mark.parametrize(("choice", "versions"), [({}, {1, 2}), ({"version": 1}, {1}), ({"label": "production"}, {1})])
def test_the_status_is_that_of_all_versions_or_of_the_one_that_is_asked_about(pictures, choice, versions):
    found = status(pictures, "shades", **choice)
    assert {each.version for each in found} == versions
    assert {each.state for each in found} == {AVAILABLE}
    assert {(each.status.error_code, each.status.error_message) for each in found} == {(0, "")}


@pytest.mark.parametrize(
    ("name", "choice", "code"),
    [
        ("shadow", {}, "NOT_FOUND"),
        ("shades", {"version": 9}, "NOT_FOUND"),
        ("shades", {"label": "canary"}, "INVALID_ARGUMENT"),
        ("", {}, "NOT_FOUND"),
    ],
)
def test_the_status_of_what_is_not_known_is_refused(pictures, name, choice, code):
    with pytest.raises(grpc.RpcError) as refused:
        status(pictures, name, **choice)
    assert refused.value.code().name == code


def test_the_status_of_no_model_is_refused(pictures):
    with pytest.raises(grpc.RpcError) as refused:
        pictures.model.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(), timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def metadata(asked, name, fields=("signature_def",)):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    return asked.prediction.GetModelMetadata(request, timeout=PATIENCE)


def test_the_metadata_are_the_signatures_of_the_saved_model(pictures, models_root):
    answer = metadata(pictures, "shades")
    described = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(described)
    saved = SavedModel.FromString((models_root / "shades" / "2" / "saved_model.pb").read_bytes())
    written = dict(saved.meta_graphs[0].signature_def)
    del written["__saved_model_init_op"]
    assert dict(described.signature_def) == written
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("shades", 2)


@pytest.mark.parametrize("fields", [["weights"], ["signature_def", "weights"], []], ids=repr)
def test_no_other_metadata_are_there_and_what_is_wanted_has_to_be_said(pictures, fields):
    with pytest.raises(grpc.RpcError) as refused:
        metadata(pictures, "shades", fields)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_configuration_is_not_taken_on_the_public_port(pictures):
    with pytest.raises(grpc.RpcError) as refused:
        pictures.model.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest(), timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "administration port" in refused.value.details()


def test_reflection_lists_its_services(pictures):
    services = ProtoReflectionDescriptorDatabase(pictures.server.channel).get_services()
    assert {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"} <= set(services)


def samples(asked, name) -> dict[str, float]:
    """By their labels, as they are written."""
    lines = re.findall(rf"^{name}{{(.*)}} (.*)$", asked.rest.get(PATH).text, re.MULTILINE)
    return {labels: float(value) for labels, value in lines}


def test_calls_are_counted_under_the_names_of_tensorflow_servings_metrics(numbers):
    count, latency = ":tensorflow:serving:request_count", ":tensorflow:serving:request_latency_count"
    before = samples(numbers, count), samples(numbers, latency)
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = "half_plus_three"
    asked.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0]))
    numbers.prediction.Predict(asked, timeout=PATIENCE)
    assert numbers.rest.post("/v1/models/half_plus_three:predict", json={"instances": [1.0]}).is_success
    assert numbers.rest.post("/v1/models/half:predict", json={"instances": [1.0]}).status_code == 404

    def more(name, before, labels):
        return samples(numbers, name)[labels] - before.get(labels, 0)

    assert more(count, before[0], 'model_name="half_plus_three",status="OK"') == 2
    assert (
        more(count, before[0], 'model_name="",status="NOT_FOUND"') == 1
    )  # of names that callers make up, none is kept
    assert more(latency, before[1], 'API="Predict",entrypoint="GRPC",model_name="half_plus_three"') == 1
    assert more(latency, before[1], 'API="predict",entrypoint="REST",model_name="half_plus_three"') == 1


def ran(asked, model, api) -> float:
    """How many runs are counted."""
    labels = f'API="{api}",model_name="{model}",runtime="TF1"'
    return samples(asked, f"{RUNTIME}_count").get(labels, 0)


HALF = ("numbers", "half_plus_three")


@pytest.mark.parametrize(
    ("server", "model", "api", "path", "document"),
    [
        (*HALF, "Predict", ":predict", {"instances": [1.0]}),
        (*HALF, "Classify", ":classify", {"signature_name": "classify_x", "examples": [{"x": 1.0}]}),
        (*HALF, "Regress", ":regress", {"signature_name": "tensorflow/serving/regress", "examples": [{"x": 1.0}]}),
        ("pictures", "choir", "Classify", ":classify", {"examples": [{"image/encoded": {"b64": PICTURE}}]}),
    ],
    ids=["Predict", "Classify", "Regress", "a vote"],
)
def test_what_a_signature_or_a_batch_took_is_counted_where_it_gave_something(
    request, server, model, api, path, document
):
    asked = request.getfixturevalue(server)
    before = ran(asked, model, api)
    assert asked.rest.post(f"/v1/models/{model}{path}", json=document).is_success
    assert asked.rest.post(f"/v1/models/{model}{path}", json={}).status_code == 400
    assert ran(asked, model, api) == before + 1


def test_of_tasks_asked_at_once_each_run_is_counted(numbers):
    before = ran(numbers, "half_plus_three", "MultiInference")
    numbers.prediction.MultiInference(tasks((REGRESS, REGRESS), (CLASSIFY, "classify_x")), timeout=PATIENCE)
    assert ran(numbers, "half_plus_three", "MultiInference") == before + 2


def test_the_buckets_are_those_of_tensorflow_serving(numbers):
    numbers.rest.post("/v1/models/half_plus_three:predict", json={"instances": [1.0]})
    bounds = {labels.split('le="')[1].split('"')[0] for labels in samples(numbers, f"{RUNTIME}_bucket")}
    assert sorted(map(float, bounds)) == pytest.approx([*(10 * 1.8**step for step in range(33)), float("inf")])


def test_calls_are_counted_in_our_metrics_too(numbers):
    labels = {"method": "tensorflow.serving/Predict", "model": "half_plus_three", "views": "", "status": "OK"}
    before = numbers.server.sample("tencrop_request_duration_seconds_count", **labels)
    numbers.rest.post("/v1/models/half_plus_three:predict", json={"instances": [1.0]})
    assert numbers.server.sample("tencrop_request_duration_seconds_count", **labels) == before + 1
