"""Calls that fail, vanish or expire, over real gRPC: each gets its status, and nobody else notices."""

import re

import grpc
import numpy as np
import pytest

from serving.models.servable import Batching
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING, asked, label_of, levels_in
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine
from tests.serving.running import of_engines

INTERNAL, EXHAUSTED = grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED


def secretly_failing(rows):
    raise RuntimeError("secret: /srv/models/shades ran out of memory")


def not_numbers(rows):
    return np.full((len(rows), 3), np.nan, np.float32)


@pytest.mark.parametrize("score", [secretly_failing, not_numbers])
def test_a_callers_share_of_an_engines_failure_is_an_id_that_the_log_knows(loop, caplog, score):
    with of_engines(loop, shades=FreeEngine(score)) as server:
        code, details = server.refusal(asked(DARK))
    assert code == INTERNAL
    failure_id = re.fullmatch(r"The server failed; its log has the reason under ([0-9a-f]{12})\.", details)
    assert failure_id, details
    (record,) = [record for record in caplog.records if failure_id[1] in record.getMessage()]
    assert record.exc_info


def test_the_log_has_the_reason_of_a_failure(loop, caplog):
    with of_engines(loop, shades=FreeEngine(secretly_failing)) as server:
        server.refusal(asked(DARK))
    assert "secret: /srv/models/shades ran out of memory" in caplog.text


def test_calls_that_wait_share_a_batch_and_each_gets_its_own_answer(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        first = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        waiting = [server.stub.Classify.future(asked(level), timeout=PATIENCE) for level in (BRIGHT, DARK, MIDDLING)]
        server.wait_for_queue(3)
        engine.let_go()
        assert first.result().predictions[0].label == label_of(DARK)
        answers = [call.result().predictions[0].label for call in waiting]
    assert answers == [label_of(BRIGHT), label_of(DARK), label_of(MIDDLING)]
    assert [len(levels) for levels in levels_in(engine.batches)] == [1, 3]


def test_a_full_queue_is_resource_exhausted_and_recovers(loop):
    engine = HeldEngine()
    with of_engines(loop, batching=Batching.of(max_batch_size=1, max_queue_rows=2), shades=engine) as server:
        taken = [server.stub.Classify.future(asked(DARK), timeout=PATIENCE)]
        engine.wait_until_busy()
        taken += [server.stub.Classify.future(asked(DARK), timeout=PATIENCE) for _ in range(2)]
        server.wait_for_queue(2)
        code, details = server.refusal(asked(DARK))
        assert (code, "At most 2 rows may wait" in details) == (EXHAUSTED, True)
        engine.let_go()
        assert [call.result().predictions[0].label for call in taken] == [label_of(DARK)] * 3
        assert server.classify(asked(BRIGHT)).predictions[0].label == label_of(BRIGHT)


def test_a_cancelled_call_leaves_the_queue_at_once_and_is_never_computed(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        first = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        leaver, stayer = (server.stub.Classify.future(asked(level), timeout=PATIENCE) for level in (MIDDLING, BRIGHT))
        server.wait_for_queue(2)
        leaver.cancel()
        server.wait_for_queue(1)
        engine.let_go()
        assert first.result().predictions[0].label == label_of(DARK)
        assert stayer.result().predictions[0].label == label_of(BRIGHT)
    assert levels_in(engine.batches) == [[DARK], [BRIGHT]]


def test_an_expired_caller_gets_deadline_exceeded_and_is_never_computed(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        first = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        late = server.stub.Classify.future(asked(BRIGHT), timeout=0.3)
        assert late.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        server.wait_for_queue(0)
        engine.let_go()
        assert first.result().predictions[0].label == label_of(DARK)
    assert levels_in(engine.batches) == [[DARK]]


def test_members_of_an_ensemble_run_at_the_same_time(loop):
    engines = {"shades": HeldEngine(), "tones": HeldEngine()}
    with of_engines(loop, ensembles={"choir": {"shades": 1, "tones": 1}}, **engines) as server:
        call = server.stub.Classify.future(asked(BRIGHT, "choir"), timeout=PATIENCE)
        for engine in engines.values():
            engine.wait_until_busy()
        for engine in engines.values():
            engine.let_go()
        assert call.result().predictions[0].label == label_of(BRIGHT)


def test_a_member_that_fails_withdraws_the_rows_that_wait_for_the_others(loop):
    engine = HeldEngine()
    failing = FreeEngine(secretly_failing)
    with of_engines(loop, ensembles={"choir": {"shades": 1, "tones": 1}}, shades=engine, tones=failing) as server:
        busy = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
        engine.wait_until_busy()
        assert server.refusal(asked(BRIGHT, "choir"))[0] == INTERNAL
        server.wait_for_queue(0)
        engine.let_go()
        assert busy.result().predictions[0].label == label_of(DARK)
    assert levels_in(engine.batches) == [[DARK]]
