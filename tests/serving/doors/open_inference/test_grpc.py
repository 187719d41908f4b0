"""The gRPC door of the Open Inference Protocol answers right, against plain numpy, and refuses with a reason."""

import grpc
import numpy as np
import pytest

from protos import classification_pb2
from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from tests.serving.choir import CHOIR, GREYS, SHADES_1, SHADES_2, TONES
from tests.serving.doors.open_inference.asking import (
    ENCODED,
    PICTURE,
    about_pictures,
    about_rows,
    outputs_of,
    rows_for,
)
from tests.serving.fakes import PATIENCE
from tests.serving.oracle import Choir, softmax, voted
from tests.serving.picture_files import file_of, noise
from tests.serving.tiny import LABELS

WantedOutput = pb.ModelInferRequest.InferRequestedOutputTensor


@pytest.fixture(scope="module")
def stub(served):
    return GRPCInferenceServiceStub(served.channel)


@pytest.fixture(scope="module")
def infer(stub):
    """Outputs by name."""
    return lambda request: outputs_of(stub.ModelInfer(request, timeout=PATIENCE))


@pytest.fixture(scope="module")
def refusal(stub):
    """Status and message of a request that is not answered."""

    def refusal(method: str, request) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as error:
            getattr(stub, method)(request, timeout=PATIENCE)
        return error.value.code(), error.value.details()

    return refusal


@pytest.mark.parametrize(("views", "number"), [("single", 1), ("ten", 4)])
@pytest.mark.parametrize(("vote", "rule"), [("mean-probability", 1), ("mean-logit", 2), ("majority", 3)])
def test_pictures_are_voted_on_as_parameters_say(infer, views, number, vote, rule):
    probabilities = infer(about_pictures(ENCODED, model="choir", views=views, vote=vote))["probabilities"]
    np.testing.assert_allclose(probabilities, [CHOIR.probabilities(PICTURE, number, rule)], atol=2e-5)


def test_each_picture_of_a_request_is_answered_in_its_place(infer):
    others = [noise(16, 16 + 2 * n) for n in range(5)]
    answers = infer(about_pictures(*map(file_of, others)))["probabilities"]
    np.testing.assert_allclose(answers, [Choir([SHADES_2]).probabilities(each) for each in others], atol=2e-5)


def test_logits_of_a_picture_are_the_mean_over_views_and_by_weight_over_members(infer):
    logits = infer(about_pictures(ENCODED, model="choir", views="ten"))["logits"]
    expected = np.average(CHOIR.logits(PICTURE, 4).mean(axis=1), axis=0, weights=CHOIR.weights)
    np.testing.assert_allclose(logits, [expected], atol=2e-5)


def test_rows_get_the_logits_that_the_network_gives(infer):
    outputs = infer(about_rows(rows_for()))
    np.testing.assert_allclose(outputs["logits"], SHADES_2.logits(rows_for()), atol=1e-5)
    np.testing.assert_allclose(outputs["probabilities"], softmax(SHADES_2.logits(rows_for())), atol=1e-5)
    winners = SHADES_2.logits(rows_for()).argmax(axis=1)
    assert outputs["label"].tolist() == [LABELS[winner].encode() for winner in winners]


def test_rows_are_voted_on_alone(stub):
    rows = rows_for(TONES)
    answer = outputs_of(stub.ModelInfer(about_rows(rows, "tones"), timeout=PATIENCE))
    logits = TONES.logits(rows) / TONES.temperature
    for row, probabilities in zip(logits, answer["probabilities"], strict=True):
        np.testing.assert_allclose(probabilities, voted(row[None, None], TONES.vote, [1.0]), atol=1e-5)


@pytest.mark.parametrize(("version", "model"), [("", SHADES_2), ("1", SHADES_1), ("production", SHADES_1)])
def test_a_version_is_the_newest_a_number_or_a_label(stub, version, model):
    response = stub.ModelInfer(about_rows(rows_for(), version=version), timeout=PATIENCE)
    assert response.model_version == str(model.version)
    np.testing.assert_allclose(outputs_of(response)["logits"], model.logits(rows_for()), atol=1e-5)


def test_the_id_is_given_back(stub):
    assert stub.ModelInfer(about_pictures(ENCODED, id="frame 7"), timeout=PATIENCE).id == "frame 7"


def test_who_lists_elements_gets_them_listed(stub):
    request = about_rows(rows_for())
    request.ClearField("raw_input_contents")
    request.inputs[0].contents.uint_contents.extend(rows_for().ravel().tolist())
    response = stub.ModelInfer(request, timeout=PATIENCE)
    assert not response.raw_output_contents
    np.testing.assert_allclose(outputs_of(response)["logits"], SHADES_2.logits(rows_for()), atol=1e-5)


def test_pictures_may_be_listed_too(stub):
    request = about_pictures(ENCODED)
    request.ClearField("raw_input_contents")
    request.inputs[0].contents.bytes_contents.append(ENCODED)
    outputs = outputs_of(stub.ModelInfer(request, timeout=PATIENCE))
    np.testing.assert_allclose(outputs["probabilities"], [Choir([SHADES_2]).probabilities(PICTURE)], atol=2e-5)


def test_only_outputs_that_are_wanted_come_and_in_that_order(stub):
    request = about_pictures(ENCODED)
    request.outputs.extend([WantedOutput(name="label"), WantedOutput(name="logits")])
    assert [output.name for output in stub.ModelInfer(request, timeout=PATIENCE).outputs] == ["label", "logits"]


def test_classification_gives_value_index_and_label_of_the_best(infer):
    request = about_rows(rows_for())
    request.outputs.add(name="probabilities").parameters["classification"].int64_param = 2
    answers = infer(request)["probabilities"]
    assert answers.shape == (3, 2)
    for row, best in zip(softmax(SHADES_2.logits(rows_for())), answers, strict=True):
        order = np.argsort(-row)[:2]
        assert [text.decode().split(":")[1:] for text in best] == [[str(n), LABELS[n]] for n in order]
        np.testing.assert_allclose([float(text.decode().split(":")[0]) for text in best], row[order], atol=1e-5)


def test_an_answer_that_abstains_has_an_empty_label(infer):
    assert infer(about_pictures(ENCODED, min_confidence=1.0))["label"].tolist() == [b""]


INVALID, ABSENT = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND


def without(request: pb.ModelInferRequest, field: str) -> pb.ModelInferRequest:
    request.ClearField(field)
    return request


def wanting(name: str, classes: int = 0) -> pb.ModelInferRequest:
    request = about_rows(rows_for())
    request.outputs.add(name=name).parameters["classification"].int64_param = classes
    return request


def with_both(request: pb.ModelInferRequest, other: pb.ModelInferRequest) -> pb.ModelInferRequest:
    request.inputs.extend(other.inputs)
    request.raw_input_contents.extend(other.raw_input_contents)
    return request


def of_datatype(datatype: str) -> pb.ModelInferRequest:
    request = about_rows(rows_for(count=4))
    request.inputs[0].datatype = datatype
    request.inputs[0].shape[0] //= {"FP32": 4, "INT8": 1}[datatype]
    return request


def named(name: str) -> pb.ModelInferRequest:
    request = about_rows(rows_for())
    request.inputs[0].name = name
    return request


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (about_pictures(ENCODED, model="absent"), ABSENT, "'absent' is not"),
        (about_pictures(ENCODED, version="9"), ABSENT, "version 9 is not"),
        (about_pictures(ENCODED, version="beta"), ABSENT, "no label 'beta'"),
        (about_pictures(ENCODED, version="1", model="choir"), INVALID, "no versions of its own"),
        (about_pictures(ENCODED, b"text"), INVALID, "Picture 2 of 2"),
        (about_pictures(ENCODED, views="all"), INVALID, "views is one of single, mirror"),
        (about_pictures(ENCODED, sequence_id=4), INVALID, "'sequence_id'"),
        (about_pictures(ENCODED, timeout=-1), INVALID, "microseconds"),
        (about_pictures(ENCODED, priority=7), INVALID, "priority is one of"),
        (about_rows(rows_for(), views="ten"), INVALID, "views came"),
        (about_rows(rows_for(GREYS)), INVALID, "[3, 10, 10, 1] came"),
        (about_rows(rows_for(), model="choir"), INVALID, "Rows for 'greys'"),
        (without(about_rows(rows_for()), "inputs"), INVALID, "1 came raw for 0 inputs"),
        (without(without(about_rows(rows_for()), "inputs"), "raw_input_contents"), INVALID, "0 came"),
        (with_both(about_rows(rows_for()), about_pictures(ENCODED)), INVALID, "2 came"),
        (about_rows(np.zeros((1025, 1, 1, 1), np.uint8)), INVALID, "first for at most 1024"),
        (about_rows(np.zeros((1, 12, 12, 3, 1), np.uint8)), INVALID, "1 to 4 dimensions"),
        (about_rows(np.zeros((0, 12, 12, 3), np.uint8)), INVALID, "none of them empty"),
        (about_pictures(*[b""] * 1025), INVALID, "first for at most 1024"),
        (of_datatype("FP32"), INVALID, "Scale them back"),
        (of_datatype("INT8"), INVALID, "Scale them back"),
        (without(about_rows(rows_for()), "raw_input_contents"), INVALID, "0 came"),
        (named("input_1"), INVALID, "'input_1' came"),
        (wanting("scores"), INVALID, "['scores'] came"),
        (wanting("label", classes=1), INVALID, "Leave it out there"),
        (wanting("logits", classes=-1), INVALID, "-1 came"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(refusal, request_, status, words):
    code, message = refusal("ModelInfer", request_)
    assert code == status
    assert words in message


def test_an_output_is_not_given_twice(refusal):
    request = about_rows(rows_for())
    request.outputs.extend([WantedOutput(name="logits")] * 2)
    assert refusal("ModelInfer", request)[0] == INVALID


def test_a_request_that_allows_too_little_time_is_not_answered(refusal):
    code, _ = refusal("ModelInfer", about_pictures(*[ENCODED] * 64, views="ten", timeout=1))
    assert code in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)


def test_a_server_that_runs_is_live_and_ready(stub):
    assert stub.ServerLive(pb.ServerLiveRequest(), timeout=PATIENCE).live
    assert stub.ServerReady(pb.ServerReadyRequest(), timeout=PATIENCE).ready


@pytest.mark.parametrize(
    ("name", "version", "ready"),
    [("shades", "", True), ("shades", "1", True), ("choir", "", True), ("shades", "9", False), ("absent", "", False)],
)
def test_a_model_is_ready_where_it_can_answer(stub, name, version, ready):
    assert stub.ModelReady(pb.ModelReadyRequest(name=name, version=version), timeout=PATIENCE).ready == ready


def test_metadata_names_versions_inputs_and_outputs(stub):
    found = stub.ModelMetadata(pb.ModelMetadataRequest(name="shades"), timeout=PATIENCE)
    assert list(found.versions) == ["1", "2"]
    assert {each.name: (each.datatype, list(each.shape)) for each in found.inputs} == {
        "image": ("BYTES", [-1, 1]),
        "pictures": ("UINT8", [-1, 12, 12, 3]),
    }
    assert {each.name: (each.datatype, list(each.shape)) for each in found.outputs} == {
        "logits": ("FP32", [-1, 6]),
        "probabilities": ("FP32", [-1, 6]),
        "label": ("BYTES", [-1]),
    }


def test_an_ensemble_whose_members_differ_takes_no_rows(stub):
    found = stub.ModelMetadata(pb.ModelMetadataRequest(name="choir"), timeout=PATIENCE)
    assert [each.name for each in found.inputs] == ["image"]
    assert not found.versions


def test_the_configuration_leaves_out_the_dimension_of_the_batch(stub):
    config = stub.ModelConfig(pb.ModelConfigRequest(name="shades"), timeout=PATIENCE).config
    assert config.max_batch_size == 1024
    assert {each.name: list(each.dims) for each in config.input} == {"image": [1], "pictures": [12, 12, 3]}


def test_the_index_lists_every_version_and_ensemble(stub):
    listed = stub.RepositoryIndex(pb.RepositoryIndexRequest(), timeout=PATIENCE).models
    assert [(each.name, each.version) for each in listed] == [
        ("choir", ""),
        ("greys", "1"),
        ("shades", "2"),
        ("shades", "1"),
        ("tones", "1"),
    ]
    assert {each.state for each in listed} == {"READY"}


@pytest.mark.parametrize("method", ["Load", "Unload"])
def test_models_are_loaded_elsewhere_and_the_message_says_where(refusal, method):
    request = getattr(pb, f"RepositoryModel{method}Request")(model_name="shades")
    assert "administration port" in refusal(f"RepositoryModel{method}", request)[1]


def test_statistics_count_requests_and_where_their_time_went(served, stub, refusal):
    def counted():
        request = pb.ModelStatisticsRequest(name="greys", version="1")
        (stats,) = stub.ModelStatistics(request, timeout=PATIENCE).model_stats
        return stats

    before = counted()
    stub.ModelInfer(about_rows(rows_for(GREYS), "greys"), timeout=PATIENCE)
    refusal("ModelInfer", about_rows(rows_for(), "greys"))
    after = counted()
    assert after.inference_count - before.inference_count == 3
    assert after.execution_count - before.execution_count == 1
    of = after.inference_stats
    assert of.success.count - before.inference_stats.success.count == 1
    assert of.fail.count - before.inference_stats.fail.count == 1
    assert 0 < of.compute_infer.ns <= of.success.ns
    assert after.last_inference > 1_600_000_000_000


def test_statistics_are_of_every_model_where_none_is_named(stub):
    found = stub.ModelStatistics(pb.ModelStatisticsRequest(), timeout=PATIENCE).model_stats
    assert {(each.name, each.version) for each in found} >= {("choir", "0"), ("shades", "1"), ("shades", "2")}


def test_requests_are_counted_with_those_of_other_doors(served, infer):
    labels = {"method": "ModelInfer", "model": "tones", "views": "10", "status": "OK"}
    before = served.sample("tencrop_request_duration_seconds_count", **labels)
    infer(about_pictures(ENCODED, model="tones", views="ten"))
    assert served.sample("tencrop_request_duration_seconds_count", **labels) == before + 1


def test_a_stream_answers_in_order_and_outlives_a_request_that_fails(stub):
    requests = [
        about_pictures(ENCODED, id="a", views="grid"),
        about_pictures(b"text", id="b"),
        about_rows(rows_for(count=1)),
    ]
    first, second, third = stub.ModelStreamInfer(iter(requests), timeout=PATIENCE)
    assert (first.infer_response.id, first.error_message) == ("a", "")
    assert second.infer_response.id == "b"
    assert "Picture 1 of 1" in second.error_message
    np.testing.assert_allclose(
        outputs_of(third.infer_response)["logits"], SHADES_2.logits(rows_for(count=1)), atol=1e-5
    )


def test_rows_in_a_stream_without_a_deadline_are_answered_each_in_its_place(stub):
    requests = [about_rows(row[None]) for row in rows_for()]
    answers = list(stub.ModelStreamInfer(iter(requests)))
    assert [answer.error_message for answer in answers] == [""] * 3
    for answer, logits in zip(answers, SHADES_2.logits(rows_for()), strict=True):
        np.testing.assert_allclose(outputs_of(answer.infer_response)["logits"], [logits], atol=1e-5)


def test_a_body_that_is_no_message_is_the_callers_fault(served):
    with pytest.raises(grpc.RpcError) as error:
        served.channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(b"\xff" * 9, timeout=PATIENCE)
    assert error.value.code() == INVALID
    assert "protos/open_inference.proto" in error.value.details()


def test_answers_are_those_of_our_own_service(served, infer):
    ours = served.classify(
        classification_pb2.ClassifyRequest(
            model=classification_pb2.ModelSpec(name="choir"), encoded=ENCODED, views=4, top_k=len(LABELS)
        )
    )
    theirs = infer(about_pictures(ENCODED, model="choir", views="ten"))
    assert theirs["label"].tolist() == [ours.label.encode()]
    assert [theirs["probabilities"][0][each.class_id] for each in ours.predictions] == [
        each.probability for each in ours.predictions
    ]
