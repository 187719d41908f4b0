"""Engines that raise, give nonsense, hang or are slow: what is spoilt fails, and nothing else."""

import grpc
import numpy as np
import pytest

from serving.models.servable import Batching
from tests.faults.asking import asked_all, is_right, occupied, statuses
from tests.faults.engines import InTurns, Slow, Spoiling
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING, asked
from tests.serving.fakes import FreeEngine, HeldEngine
from tests.serving.running import of_engines

OK, INTERNAL = grpc.StatusCode.OK, grpc.StatusCode.INTERNAL
POISON = Spoiling.POISON
ONE_ROW = Batching.of(max_batch_size=1)


def out_of_memory(logits, poisonous):
    raise MemoryError("16 GiB are taken")


def not_numbers(logits, poisonous):
    return np.where(poisonous[:, None], np.float32("nan"), logits)


def check_mates(server, first: HeldEngine, expected: dict[int, grpc.StatusCode]) -> None:
    """Fails unless calls of these levels, which share a batch, end so, and those that are answered are right."""
    before = occupied(server, first)
    calls = asked_all(server, expected)
    server.wait_for_queue(len(expected))
    first.let_go()
    assert is_right(before.result(), DARK)
    assert dict(zip(expected, statuses(calls), strict=True)) == expected
    assert all(is_right(call.result(), level) for level, call in zip(expected, calls, strict=True) if call.code() == OK)


def test_an_engine_that_raises_on_some_batches_fails_those_who_had_rows_in_them(unharmed):
    levels = [DARK, POISON, BRIGHT, POISON, POISON, MIDDLING] * 5
    with unharmed(batching=ONE_ROW, shades=Spoiling(out_of_memory)) as server:
        calls = asked_all(server, levels)
        assert statuses(calls) == [INTERNAL if level == POISON else OK for level in levels]
        assert all(is_right(call.result(), level) for call, level in zip(calls, levels, strict=True) if level != POISON)


def test_scores_that_are_no_numbers_fail_the_caller_whose_they_are_and_no_batch_mate(unharmed):
    first = HeldEngine()
    with unharmed(shades=InTurns(first, Spoiling(not_numbers))) as server:
        check_mates(server, first, {DARK: OK, 60: OK, POISON: INTERNAL, MIDDLING: OK, BRIGHT: OK})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda logits, poisonous: logits[:-1],
        lambda logits, poisonous: logits[:0],
        lambda logits, poisonous: np.concatenate([logits, logits]),
        lambda logits, poisonous: None,
    ],
    ids=["one too few", "none", "twice as many", "nothing"],
)
def test_scores_for_another_number_of_rows_fail_the_batch_since_nobody_knows_whose_they_are(unharmed, spoil):
    first = HeldEngine()
    with unharmed(shades=InTurns(first, Spoiling(spoil))) as server:
        check_mates(server, first, dict.fromkeys([DARK, POISON, BRIGHT], INTERNAL))


def test_a_model_that_hangs_keeps_no_other_from_answering(unharmed):
    engine = HeldEngine()
    with unharmed(shades=engine, tones=FreeEngine()) as server:
        hanging = occupied(server, engine)
        assert is_right(server.classify(asked(BRIGHT, "tones")), BRIGHT)
        engine.let_go()
        assert is_right(hanging.result(), DARK)


def test_a_server_whose_engine_hangs_stops_all_the_same_and_says_that_it_did_not_come_to_rest(loop):
    engine = HeldEngine()
    try:
        with of_engines(loop, settings={"drain_seconds": 0.2}, shades=engine) as server:
            hanging, waiting = occupied(server, engine), asked_all(server, [BRIGHT] * 3)
            server.wait_for_queue(3)
            assert loop.run(server.server.stop()) is False  # run has a time limit
            assert set(statuses([hanging, *waiting])) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    finally:
        engine.let_go()


def test_callers_of_a_slow_engine_are_answered_in_time_or_told_at_once_that_they_would_not_be(unharmed, clock):
    slow, held = Slow(clock, seconds=10), HeldEngine()
    with unharmed(clock=clock, batching=ONE_ROW, shades=InTurns(slow, held)) as server:
        assert is_right(server.classify(asked(MIDDLING)), MIDDLING)
        running = occupied(server, held)
        (hasty,) = asked_all(server, [BRIGHT], timeout=15)
        assert hasty.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "by what waits for the model it is expected in 20 s" in hasty.details()
        (patient,) = asked_all(server, [BRIGHT], timeout=25)
        server.wait_for_queue(1)
        held.let_go()
        assert is_right(running.result(), DARK)
        assert is_right(patient.result(), BRIGHT)
