"""Clocks that jump, stand still and leap: callers are answered or told that their time is up, and nothing is left."""

import time

import grpc
import pytest

from tests.faults.asking import asked_all, is_right, occupied, statuses
from tests.faults.books import Books
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING
from tests.serving.fakes import PATIENCE, HeldEngine

OK, EXPIRED = grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_jump_of_the_wall_clock_makes_no_call_late_that_was_there_before(unharmed, monkeypatch, hours):
    engine, right = HeldEngine(), time.time
    with unharmed(shades=engine) as server:
        calls = [occupied(server, engine), *asked_all(server, [BRIGHT, MIDDLING])]
        server.wait_for_queue(2)
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: right() + hours * 3600)
            calls += asked_all(server, [DARK], timeout=None)
            server.wait_for_queue(3)
            engine.let_go()
            answers = [call.result(PATIENCE) for call in calls]
        assert all(map(is_right, answers, [DARK, BRIGHT, MIDDLING, DARK]))


def test_a_jump_of_the_wall_clock_keeps_no_deadline_from_passing(unharmed, monkeypatch):
    engine, right = HeldEngine(), time.time
    with unharmed(shades=engine) as server:
        first = occupied(server, engine)
        late = asked_all(server, [BRIGHT] * 3, timeout=0.5)
        server.wait_for_queue(3)
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: right() - 5 * 3600)
            assert statuses(late) == [EXPIRED] * 3
            server.wait_for_queue(0)
        engine.let_go()
        assert is_right(first.result(), DARK)
        assert Books(server).total("tencrop_dropped_rows_total") == 3


def test_while_the_monotonic_clock_stands_still_calls_with_deadlines_are_answered(unharmed, clock):
    engine = HeldEngine()
    with unharmed(clock=clock, shades=engine) as server:
        calls = [occupied(server, engine), *asked_all(server, [BRIGHT] * 20)]
        server.wait_for_queue(20)
        engine.let_go()
        assert statuses(calls) == [OK] * 21


def test_a_leap_of_the_monotonic_clock_ends_calls_with_deadlines_and_no_other(unharmed, clock):
    engine = HeldEngine()
    with unharmed(clock=clock, shades=engine) as server:
        first = occupied(server, engine)
        hasty, patient = asked_all(server, [BRIGHT] * 10), asked_all(server, [MIDDLING] * 10, timeout=None)
        server.wait_for_queue(20)
        clock.advance(1e6)
        engine.let_go()
        assert is_right(first.result(), DARK)
        assert statuses(hasty) == [EXPIRED] * 10
        assert all(is_right(call.result(PATIENCE), MIDDLING) for call in patient)
        assert Books(server).calls(status="DEADLINE_EXCEEDED") == 10
