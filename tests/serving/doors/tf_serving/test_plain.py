"""A SavedModel without a card, asked on a real port by TensorFlow Serving's own stubs."""

import shutil
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    predict_pb2,
)

from protos import classification_pb2 as pb
from tests.serving.choir import SHADES_1
from tests.serving.doors import plain_models
from tests.serving.doors.fake_models import DARK, asked
from tests.serving.doors.plain_models import NAME
from tests.serving.doors.tf_serving.conftest import Asked
from tests.serving.doors.tf_serving.test_what_is_served import status
from tests.serving.fakes import PATIENCE
from tests.serving.loops import eventually
from tests.serving.running import of_models


def both(root) -> Path:
    """Where a model lies with versions of both kinds."""
    directory = root / "both"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A plain model, beside one with a card."""
    root = tmp_path_factory.mktemp("models")
    plain_models.save(root, 1)
    SHADES_1.publish(root)
    plain_models.save(root / "aside", 1).rename(both(root) / "1")
    SHADES_1.publish(root / "aside").rename(both(root) / "2")
    shutil.rmtree(root / "aside")
    (root / "models.yaml").write_text(
        f"ensembles: {{choir: {{members: [{{model: {NAME}}}, {{model: shades}}]}}}}\n"
        "models: {both: {versions: all}}"
    )
    return root


@pytest.fixture(scope="module")
def texts(root, loop):
    with of_models(root, loop, settle_seconds=0) as server:
        asked = Asked(server)
        yield asked
        asked.rest.close()


def predict(asked, signature="", **inputs) -> dict[str, np.ndarray]:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = NAME, signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    outputs = asked.prediction.Predict(request, timeout=PATIENCE).outputs
    return {name: tf.make_ndarray(tensor) for name, tensor in outputs.items()}


def example(**values) -> classification_pb2.ClassificationRequest:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = NAME
    features = request.input.example_list.examples.add().features
    for name, value in values.items():
        features.feature[name].float_list.value.append(value)
    return request


def test_numbers_of_several_types_are_answered_by_the_default_signature(texts):
    numbers, points = np.array([1, 2**40]), np.array([[1.0, 2.0], [0.25, 0.5]])
    answer = predict(texts, numbers=numbers, points=points)
    np.testing.assert_array_equal(answer["numbers"], numbers + 1)
    np.testing.assert_array_equal(answer["logits"], [1.5, 0.375])
    assert (answer["numbers"].dtype, answer["logits"].dtype) == (np.int64, np.float64)


def test_strings_are_answered_by_the_signature_that_is_named(texts):
    answer = predict(texts, "lengths", texts=[b"boot", b"\xff"])
    assert answer["lengths"].tolist() == [4, 1]
    assert answer["texts"].tolist()[0] == b"BOOT"
    assert answer["any"].tolist() is True


def test_a_single_string_is_an_answer(texts):
    assert predict(texts, "longest", texts=[b"boot", b"b"])["longest"].tolist() == b"boot"


def test_rest_answers_by_rows_and_by_columns(texts):
    rows = {"instances": [{"numbers": 4, "points": [1, 2]}, {"numbers": 5, "points": [3, 4]}]}
    answer = texts.rest.post(f"/v1/models/{NAME}:predict", json=rows).json()
    assert answer == {"predictions": [{"numbers": 5, "logits": 1.5}, {"numbers": 6, "logits": 3.5}]}
    columns = {"signature_name": "lengths", "inputs": ["boot"]}
    answer = texts.rest.post(f"/v1/models/{NAME}/versions/1:predict", json=columns).json()
    assert answer["outputs"]["lengths"] == [4]


def test_its_metadata_are_its_signatures(texts):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = NAME
    described = get_model_metadata_pb2.SignatureDefMap()
    answer = texts.prediction.GetModelMetadata(request, timeout=PATIENCE)
    assert answer.metadata["signature_def"].Unpack(described)
    assert set(described.signature_def) == {"serving_default", "lengths", "longest", "classify_x"}


def test_classify_is_answered_by_a_signature_of_its_own(texts):
    request = example(x=2.0)
    request.model_spec.signature_name = "classify_x"
    (found,) = texts.prediction.Classify(request, timeout=PATIENCE).result.classifications
    assert [(each.label, each.score) for each in found.classes] == [("small", -2.0), ("large", 2.0)]


def test_what_needs_a_card_is_refused_and_the_way_out_is_told(texts):
    with pytest.raises(grpc.RpcError) as refused:
        texts.prediction.Classify(example(x=2.0), timeout=PATIENCE)
    request = asked(DARK)
    request.model.name = NAME
    for code, message in ((refused.value.code(), refused.value.details()), texts.server.refusal(request)):
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert f"version 1 of '{NAME}' is a SavedModel without one" in message
        assert "tencrop export" in message


def test_an_ensemble_with_it_as_a_member_is_not_formed(texts):
    assert texts.server.server.repository.names == ["both", "shades", NAME]


def test_it_is_listed_beside_models_with_cards(texts):
    listed = {each.name: each for each in texts.server.stub.ListModels(pb.ListModelsRequest(), timeout=PATIENCE).models}
    assert (list(listed[NAME].versions), list(listed[NAME].labels)) == ([1], [])
    assert list(listed["shades"].labels)
    assert texts.server.sample("tencrop_model_loaded", model=NAME, version="1") == 1


def test_a_model_may_have_versions_of_both_kinds(texts):
    picture = asked(DARK, "both")
    assert texts.server.classify(picture).model_versions[0].version == 2
    picture.model.version = 1
    assert "is a SavedModel without one" in texts.server.refusal(picture)[1]
    body = {"signature_name": "lengths", "inputs": ["boot"]}
    assert texts.rest.post("/v1/models/both/versions/1:predict", json=body).json()["outputs"]["lengths"] == [4]


@pytest.fixture
def changing(tmp_path, loop):
    """A server of version 1, that looks into its directory all the time."""
    plain_models.save(tmp_path / "models", 1)
    with of_models(tmp_path / "models", loop, settle_seconds=0, poll_seconds=0.01) as server:
        asked = Asked(server)
        yield tmp_path, asked
        asked.rest.close()


def version_that_answers(asked) -> int:
    return predict(asked, numbers=np.array([0]), points=np.zeros((1, 2)))["numbers"].tolist()[0]


def test_version_2_takes_over_from_version_1(changing):
    tmp_path, texts = changing
    plain_models.save(tmp_path / "aside", 2).rename(tmp_path / "models" / NAME / "2")
    eventually(lambda: version_that_answers(texts) == 2)
    eventually(lambda: status(texts, NAME, 1)[0].state == status(texts, NAME, 1)[0].END)


def test_a_graph_that_reads_files_is_refused_by_name_and_the_safe_version_answers(changing):
    tmp_path, texts = changing
    plain_models.save_unsafe(tmp_path / "aside", 2).rename(tmp_path / "models" / NAME / "2")
    eventually(lambda: any("ReadFile" in each.status.error_message for each in status(texts, NAME)))
    assert version_that_answers(texts) == 1
