"""What /metrics says after known calls, and that it is valid text for Prometheus."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from protos import classification_pb2 as pb
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine
from tests.serving.loops import eventually
from tests.serving.running import of_engines

REQUESTS = "tencrop_request_duration_seconds_count"
SHADES = {"model": "shades", "version": "1"}


def requests(status, views=1, method="Classify", model="shades"):
    return {"method": method, "model": model, "views": str(views), "status": status}


@pytest.fixture
def server(loop):
    with of_engines(
        loop, ensembles={"choir": {"shades": 1, "tones": 1}}, shades=FreeEngine(), tones=FreeEngine()
    ) as one:
        yield one


def test_answered_calls_are_counted_by_method_model_views_and_status(server):
    for views in (pb.VIEWS_SINGLE, pb.VIEWS_TEN, pb.VIEWS_TEN):
        server.classify(asked(DARK, views=views))
    list(server.stub.ClassifyStream(iter([pb.ClassifyStreamRequest(request=asked(DARK))]), timeout=PATIENCE))
    assert server.sample(REQUESTS, **requests("OK", 1)) == 1
    assert server.sample(REQUESTS, **requests("OK", 10)) == 2
    assert server.sample(REQUESTS, **requests("OK", 1, method="ClassifyStream")) == 1


def test_boxes_are_one_series_however_many_there_are(server):
    for count in (1, 3):
        server.classify(asked(DARK, views=pb.VIEWS_BOXES, boxes=[pb.Box(bottom=1, right=1)] * count))
    assert server.sample(REQUESTS, **requests("OK", "boxes")) == 2


def test_failed_calls_are_counted_by_status_and_rejections_by_reason(server):
    server.refusal(asked(DARK, "absent"))
    server.refusal(asked(DARK, top_k=0))
    server.refusal(asked(DARK, top_k=9))
    assert server.sample(REQUESTS, **requests("NOT_FOUND", 0, model="")) == 1
    assert server.sample(REQUESTS, **requests("INVALID_ARGUMENT", 0)) == 2
    assert server.sample("tencrop_rejections_total", reason="NotServed") == 1
    assert server.sample("tencrop_rejections_total", reason="InvalidRequest") == 2


def test_an_engines_failure_is_counted_as_internal(loop):
    def fail(rows):
        raise RuntimeError

    with of_engines(loop, shades=FreeEngine(fail)) as server:
        server.refusal(asked(DARK))
        assert server.sample(REQUESTS, **requests("INTERNAL", 0)) == 1
        assert server.sample("tencrop_rejections_total", reason="EngineFailed") == 1


def test_a_name_that_is_not_served_makes_no_series_of_its_own(server):
    for number in range(20):
        server.refusal(asked(DARK, f"made-up-{number}"))
    assert "made-up" not in server.http("/metrics")[0]
    assert server.sample(REQUESTS, **requests("NOT_FOUND", 0, model="")) == 20


def test_cancelled_calls_and_the_rows_they_left_are_counted(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        computing = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        waiting = server.stub.Classify.future(asked(DARK, views=pb.VIEWS_TEN), timeout=PATIENCE)
        server.wait_for_queue(10)
        waiting.cancel()
        computing.cancel()
        eventually(lambda: server.sample(REQUESTS, **requests("CANCELLED", 0)) == 2)
        assert server.sample("tencrop_dropped_rows_total", **SHADES) == 10
        engine.let_go()
        eventually(lambda: server.sample("tencrop_rows_for_nobody_total", **SHADES) == 1)


def test_an_expired_call_is_counted_by_the_status_that_its_caller_got(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        call = server.stub.Classify.future(asked(DARK), timeout=0.3)
        engine.wait_until_busy()
        assert call.code().name == "DEADLINE_EXCEEDED"
        eventually(lambda: "tencrop_request_duration_seconds_count{" in server.http("/metrics")[0])
        engine.let_go()
        assert server.sample(REQUESTS, **requests("DEADLINE_EXCEEDED", 0)) == 1


def test_the_depth_of_the_queue_is_read_when_it_is_scraped(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        calls = [server.stub.Classify.future(asked(DARK), timeout=PATIENCE)]
        engine.wait_until_busy()
        calls.append(server.stub.Classify.future(asked(DARK, views=pb.VIEWS_FIVE), timeout=PATIENCE))
        server.wait_for_queue(5)
        assert server.sample("tencrop_queue_rows", **SHADES) == 5
        engine.let_go()
        for call in calls:
            call.result()
        assert server.sample("tencrop_queue_rows", **SHADES) == 0


def test_batches_are_counted_with_their_rows_and_padding(server):
    server.classify(asked(DARK, views=pb.VIEWS_FIVE))
    server.classify(asked(DARK))
    assert server.sample("tencrop_batch_rows_count", **SHADES) == 2
    assert server.sample("tencrop_batch_rows_sum", **SHADES) == 6
    assert server.sample("tencrop_padding_rows_total", **SHADES) == 3


def test_predictions_are_counted_by_label(server):
    for level in (DARK, BRIGHT, BRIGHT):
        server.classify(asked(level))
    server.classify(asked(BRIGHT, "choir"))
    assert server.sample("tencrop_predictions_total", model="shades", label=label_of(DARK)) == 1
    assert server.sample("tencrop_predictions_total", model="shades", label=label_of(BRIGHT)) == 2
    assert server.sample("tencrop_predictions_total", model="choir", label=label_of(BRIGHT)) == 1


@pytest.mark.parametrize("stage", ["decode", "view", "queue", "compute", "vote"])
def test_every_stage_of_an_answer_is_timed(server, stage):
    assert server.sample("tencrop_stage_duration_seconds_count", stage=stage) == 0
    server.classify(asked(DARK))
    assert server.sample("tencrop_stage_duration_seconds_count", stage=stage) == 1


def test_every_version_that_is_loaded_is_named(served):
    for model, version in (("shades", "1"), ("shades", "2"), ("tones", "1"), ("greys", "1")):
        assert served.sample("tencrop_model_loaded", model=model, version=version) == 1


def test_what_is_exposed_is_valid_and_explained(server):
    server.classify(asked(DARK))
    families = {family.name: family for family in text_string_to_metric_families(server.http("/metrics")[0])}
    ours = [family for name, family in families.items() if name.startswith("tencrop_")]
    assert ours
    assert all(family.documentation for family in ours)
    assert all(family.type in ("counter", "gauge", "histogram") for family in ours)
    assert {"process_resident_memory_bytes", "python_info"} <= set(families)


def test_two_servers_in_one_process_do_not_mix(loop, server):
    server.classify(asked(DARK))
    with of_engines(loop, shades=FreeEngine()) as other:
        assert other.sample(REQUESTS, **requests("OK")) == 0
