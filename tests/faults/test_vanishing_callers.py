"""Callers who go away, one or by the hundred: those who stay get their own answers, and nothing is kept for others."""

import grpc

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.models.servable import Batching
from tests.faults.asking import asked_all, is_right, occupied
from tests.faults.books import Books
from tests.faults.engines import InTurns
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, levels_in
from tests.serving.fakes import PATIENCE, HeldEngine
from tests.serving.loops import eventually

LEVELS = range(5, 5 + 32 * 7, 7)
THIRTY_TWO_ROWS = Batching.of(max_batch_size=32)


def test_a_caller_who_goes_while_the_batch_runs_leaves_31_mates_with_their_own_answers(unharmed):
    first, engine = HeldEngine(), HeldEngine()
    with unharmed(batching=THIRTY_TWO_ROWS, shades=InTurns(first, engine)) as server:
        before = occupied(server, first)
        calls = dict(zip(LEVELS, asked_all(server, LEVELS), strict=True))
        server.wait_for_queue(32)
        first.let_go()
        engine.wait_until_busy()
        calls.pop(LEVELS[13]).cancel()
        eventually(lambda: Books(server).calls(status="CANCELLED") == 1)
        engine.let_go()
        assert is_right(before.result(), DARK)
        for level, call in calls.items():
            assert is_right(call.result(), level)
        assert sorted(levels_in(engine.batches)[0]) == list(LEVELS)
        assert Books(server).total("tencrop_rows_for_nobody_total") == 1


def test_hundreds_of_calls_that_are_cancelled_leave_an_empty_queue(unharmed):
    engine = HeldEngine()
    with unharmed(shades=engine) as server:
        first = occupied(server, engine)
        calls = asked_all(server, [BRIGHT] * 300)
        server.wait_for_queue(300)
        for call in calls:
            call.cancel()
        server.wait_for_queue(0)
        engine.let_go()
        assert is_right(first.result(), DARK)
        assert levels_in(engine.batches) == [[DARK]]
        assert Books(server).total("tencrop_dropped_rows_total") == 300
        assert Books(server).calls(status="CANCELLED") == 300


def test_channels_that_are_closed_with_calls_and_streams_on_them_leave_an_empty_queue(unharmed):
    engine = HeldEngine()
    with unharmed(shades=engine) as server:
        first = occupied(server, engine)
        own_connection = [("grpc.use_local_subchannel_pool", 1)]
        channels = [grpc.insecure_channel(server.address, own_connection) for _ in range(8)]
        items = [pb.ClassifyStreamRequest(request=asked(BRIGHT))] * 5
        calls = []  # one that nobody holds is cancelled before its channel is closed
        for stub in map(ClassificationStub, channels):
            calls += [stub.Classify.future(asked(BRIGHT), timeout=PATIENCE) for _ in range(10)]
            calls.append(stub.ClassifyStream(iter(items), timeout=PATIENCE))
        server.wait_for_queue(8 * 15)
        for channel in channels:
            channel.close()
        server.wait_for_queue(0)
        engine.let_go()
        assert is_right(first.result(), DARK)
        assert levels_in(engine.batches) == [[DARK]]
