"""Status, metadata, metrics and reflection: what TensorFlow Serving's clients learn of a server."""

import re

import grpc
import pytest
import tensorflow as tf
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_management_pb2, predict_pb2

from serving.doors.tf_serving.monitoring import PATH
from tests.serving.fakes import PATIENCE

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
    [("shadow", {}, "NOT_FOUND"), ("shades", {"version": 9}, "NOT_FOUND"), ("", {}, "INVALID_ARGUMENT")],
)
def test_the_status_of_what_is_not_known_is_refused(pictures, name, choice, code):
    with pytest.raises(grpc.RpcError) as refused:
        status(pictures, name, **choice)
    assert refused.value.code().name == code


def metadata(asked, name, field="signature_def"):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[field])
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


def test_no_other_metadata_are_there(pictures):
    with pytest.raises(grpc.RpcError) as refused:
        metadata(pictures, "shades", "weights")
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
    assert more(latency, before[1], 'API="Predict",entrypoint="REST",model_name="half_plus_three"') == 1


def test_calls_are_counted_in_our_metrics_too(numbers):
    labels = {"method": "tensorflow.serving/Predict", "model": "half_plus_three", "views": "", "status": "OK"}
    before = numbers.server.sample("tencrop_request_duration_seconds_count", **labels)
    numbers.rest.post("/v1/models/half_plus_three:predict", json={"instances": [1.0]})
    assert numbers.server.sample("tencrop_request_duration_seconds_count", **labels) == before + 1
