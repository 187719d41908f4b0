"""The gRPC port behind a lock: who is answered about what, on a real port."""

import json

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from protos import classification_pb2 as pb
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine
from tests.serving.loops import eventually
from tests.serving.running import of_engines

EVERY, SHADES, RARELY = "token-for-every-model", "token-for-shades-alone", "token-for-one-an-hour"
CODE = grpc.StatusCode


def shows(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


@pytest.fixture(scope="module")
def tokens_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("locks") / "tokens.yaml"
    listed = [
        {"name": "every", "token": EVERY},
        {"name": "shades", "token": SHADES, "models": ["shades"]},
        {"name": "rarely", "token": RARELY, "requests_per_second": 1 / 3600},
    ]
    path.write_text(json.dumps(listed))
    return path


@pytest.fixture(scope="module")
def locked(loop, tokens_file):
    with of_engines(
        loop,
        {"choir": {"shades": 1, "tones": 1}},
        settings={"tokens_file": tokens_file, "idle_seconds": 60},
        shades=FreeEngine(),
        tones=FreeEngine(),
    ) as server:
        yield server


def refusal(call, request, **options) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refused:
        call(request, timeout=PATIENCE, **options)
    return refused.value


def test_who_shows_a_token_is_answered(locked):
    answer = locked.stub.Classify(asked(DARK), metadata=shows(EVERY), timeout=PATIENCE)
    assert answer.label == label_of(DARK)


@pytest.mark.parametrize("metadata", [(), shows("token-of-another-server"), (("authorization", EVERY),)])
def test_who_shows_none_is_refused_at_every_method(locked, metadata):
    for call, request in ((locked.stub.Classify, asked(DARK)), (locked.stub.ListModels, pb.ListModelsRequest())):
        assert refusal(call, request, metadata=metadata).code() is CODE.UNAUTHENTICATED
    with pytest.raises(grpc.RpcError) as refused:
        list(locked.stub.ClassifyStream(iter([pb.ClassifyStreamRequest()]), metadata=metadata, timeout=PATIENCE))
    assert refused.value.code() is CODE.UNAUTHENTICATED


def test_reflection_asks_for_a_token_too(locked):
    stub = reflection_pb2_grpc.ServerReflectionStub(locked.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    with pytest.raises(grpc.RpcError) as refused:
        list(stub.ServerReflectionInfo(iter([request]), timeout=PATIENCE))
    assert refused.value.code() is CODE.UNAUTHENTICATED
    (answer,) = stub.ServerReflectionInfo(iter([request]), metadata=shows(EVERY), timeout=PATIENCE)
    assert "tencrop.v1.Classification" in {each.name for each in answer.list_services_response.service}


def test_health_is_open(locked):
    answer = health_pb2_grpc.HealthStub(locked.channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_token_is_good_for_the_models_that_it_lists(locked):
    assert locked.stub.Classify(asked(DARK), metadata=shows(SHADES), timeout=PATIENCE).label == label_of(DARK)
    for name in ("tones", "choir", "no model at all"):
        refused = refusal(locked.stub.Classify, asked(DARK, name), metadata=shows(SHADES))
        assert refused.code() is CODE.PERMISSION_DENIED
        assert "'shades' names ['shades']" in refused.details()


def test_a_caller_is_shown_the_models_that_it_may_ask_and_no_others(locked):
    def listed(token):
        models = locked.stub.ListModels(pb.ListModelsRequest(), metadata=shows(token), timeout=PATIENCE).models
        return [model.name for model in models]

    assert listed(SHADES) == ["shades"]
    assert listed(EVERY) == ["choir", "shades", "tones"]


def test_without_a_name_the_only_model_that_a_caller_may_ask_answers(locked):
    answer = locked.stub.Classify(asked(DARK, ""), metadata=shows(SHADES), timeout=PATIENCE)
    assert [each.name for each in answer.model_versions] == ["shades"]


def test_in_a_stream_what_a_caller_may_not_ask_is_refused_and_the_rest_answered(locked):
    items = [pb.ClassifyStreamRequest(id=name, request=asked(BRIGHT, name)) for name in ("shades", "tones", "shades")]
    answers = list(locked.stub.ClassifyStream(iter(items), metadata=shows(SHADES), timeout=PATIENCE))
    assert sorted((each.id, each.error.code) for each in answers) == [
        ("shades", 0),
        ("shades", 0),
        ("tones", CODE.PERMISSION_DENIED.value[0]),
    ]


def test_who_asks_too_often_is_told_when_to_come_again(locked):
    locked.stub.Classify(asked(DARK), metadata=shows(RARELY), timeout=PATIENCE)
    refused = refusal(locked.stub.Classify, asked(DARK), metadata=shows(RARELY))
    assert refused.code() is CODE.RESOURCE_EXHAUSTED
    status, retry = Status.FromString(dict(refused.trailing_metadata())["grpc-status-details-bin"]), RetryInfo()
    assert status.details[0].Unpack(retry)
    assert 3000 < retry.retry_delay.seconds <= 3600


def test_refusals_are_counted(loop, tokens_file):
    with of_engines(loop, settings={"tokens_file": tokens_file}, shades=FreeEngine()) as server:
        refusal(server.stub.Classify, asked(DARK))
        metrics = server.http("/metrics", authorization=f"Bearer {EVERY}")[0]
        assert 'tencrop_rejections_total{reason="Unauthenticated"} 1.0' in metrics


def test_a_call_is_named_as_its_caller_named_it_whether_it_succeeds_or_fails(locked):
    named = (*shows(EVERY), ("x-request-id", "order-66"))
    _, call = locked.stub.Classify.with_call(asked(DARK), metadata=named, timeout=PATIENCE)
    failed = refusal(locked.stub.Classify, asked(DARK, "nobody"), metadata=named)
    for answered in (call, failed):
        assert ("x-request-id", "order-66") in answered.trailing_metadata()


@pytest.mark.parametrize("given", [(), (("x-request-id", "two words"),), (("x-request-id", "x" * 129),)])
def test_a_call_without_a_name_that_a_log_can_hold_is_given_one(locked, given):
    _, call = locked.stub.Classify.with_call(asked(DARK), metadata=(*shows(EVERY), *given), timeout=PATIENCE)
    name = dict(call.trailing_metadata())["x-request-id"]
    assert len(name) == 32
    assert (("x-request-id", name),) != given


def test_calls_beyond_those_that_are_answered_at_a_time_are_refused_but_for_health(loop):
    engine = HeldEngine()
    with of_engines(loop, settings={"max_calls": 1}, shades=engine) as server:
        held = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        refused = refusal(server.stub.Classify, asked(DARK))
        assert (refused.code(), refused.details()[:17]) == (CODE.RESOURCE_EXHAUSTED, "At most 1 calls a")
        health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
        engine.let_go()
        assert held.result().label == label_of(DARK)
        eventually(lambda: not server.server.locks.entrance.calls)
        assert server.stub.Classify(asked(DARK), timeout=PATIENCE).label == label_of(DARK)


def test_calls_that_were_given_up_are_not_counted(loop):
    engine = HeldEngine()
    with of_engines(loop, settings={"max_calls": 1}, shades=engine) as server:
        held = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        held.cancel()
        eventually(lambda: not server.server.locks.entrance.calls)
        engine.let_go()
        assert server.stub.Classify(asked(DARK), timeout=PATIENCE).label == label_of(DARK)


def test_a_stream_that_sends_nothing_ends_once_what_it_sent_is_answered(loop):
    with of_engines(loop, settings={"idle_seconds": 0.1}, shades=FreeEngine()) as server:
        stop = []

        def items():
            yield pb.ClassifyStreamRequest(id="one", request=asked(DARK))
            eventually(lambda: stop)

        answers = server.stub.ClassifyStream(items(), timeout=PATIENCE)
        assert next(answers).response.label == label_of(DARK)
        with pytest.raises(grpc.RpcError) as ended:
            next(answers)
        stop.append(True)
        assert ended.value.code() is CODE.DEADLINE_EXCEEDED
        assert "every 0.1 s" in ended.value.details()
