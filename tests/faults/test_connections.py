"""Callers who stretch gRPC itself: calls without a body, a thousand at once, and messages at the size limit."""

import threading
from collections import Counter

import grpc
import pytest

from protos import classification_pb2 as pb
from serving.models.servable import Batching
from tests.faults.asking import asked_all, is_right, occupied, statuses
from tests.faults.conftest import tasks_on_the_loop
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING, asked
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine
from tests.serving.loops import eventually
from tests.serving.picture_files import file_of, noise
from tests.serving.running import Running, of_engines

CLASSIFY, CLASSIFY_STREAM = "/tencrop.v1.Classification/Classify", "/tencrop.v1.Classification/ClassifyStream"
LIMIT = 50_000
MESSAGE_LIMIT = LIMIT + 2**20
EXHAUSTED, INVALID = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT


class Headers:
    """Calls that have sent their headers and nothing else."""

    def __init__(self, server: Running, loop, count: int) -> None:
        at_rest = loop.run(tasks_on_the_loop())
        self._over = threading.Event()
        start = server.channel.stream_unary(CLASSIFY)
        self.calls = [start.future(self._no_body(), timeout=PATIENCE) for _ in range(count)]
        eventually(lambda: loop.run(tasks_on_the_loop()) >= at_rest + count)

    def _no_body(self):
        self._over.wait(PATIENCE)
        yield from ()

    def cancel(self) -> None:
        for call in self.calls:
            call.cancel()
        self._over.set()


def test_calls_whose_body_never_comes_keep_nobody_else_waiting(unharmed, loop):
    with unharmed(shades=FreeEngine()) as server:
        headers = Headers(server, loop, count=50)
        assert is_right(server.classify(asked(DARK)), DARK)
        headers.cancel()


def test_a_server_stops_although_a_body_never_comes(loop):
    with of_engines(loop, settings={"drain_seconds": 0.2}, shades=FreeEngine()) as server:
        headers = Headers(server, loop, count=3)
        assert loop.run(server.server.stop())  # run has a time limit
        assert set(statuses(headers.calls)) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        headers.cancel()


def test_a_thousand_calls_at_once_on_one_connection_each_get_their_own_answer(unharmed):
    levels = [DARK, MIDDLING, BRIGHT, 60] * 250
    with unharmed(shades=FreeEngine()) as server:
        calls = asked_all(server, levels)
        assert all(is_right(call.result(), level) for call, level in zip(calls, levels, strict=True))


def test_of_a_thousand_calls_at_once_those_that_find_no_room_are_refused_and_the_others_answered(unharmed):
    engine = HeldEngine()
    with unharmed(batching=Batching.of(max_batch_size=8, max_queue_rows=100), shades=engine) as server:
        first, calls = occupied(server, engine), asked_all(server, [BRIGHT] * 1000)
        eventually(lambda: sum(call.done() for call in calls) == 900)
        engine.let_go()
        assert is_right(first.result(), DARK)
        assert Counter(statuses(calls)) == {EXHAUSTED: 900, grpc.StatusCode.OK: 100}


def of_size(message_bytes: int) -> bytes:
    """A request of so many bytes, most of them its picture's."""
    room_around = len(pb.ClassifyRequest(encoded=bytes(message_bytes)).SerializeToString()) - message_bytes
    body = pb.ClassifyRequest(encoded=bytes(message_bytes - room_around)).SerializeToString()
    assert len(body) == message_bytes
    return body


def padded(file_bytes: int) -> pb.ClassifyRequest:
    """A picture whose file has so many bytes; what follows its end is not looked at."""
    return pb.ClassifyRequest(model=pb.ModelSpec(name="shades"), encoded=file_of(noise(8, 8)).ljust(file_bytes, b"\0"))


def test_messages_just_under_the_limit_are_read_and_just_over_it_are_not(unharmed):
    with unharmed(settings={"max_picture_bytes": LIMIT}, shades=FreeEngine()) as server:
        assert server.classify(padded(LIMIT)).predictions
        assert server.refusal(padded(LIMIT + 1))[0] == INVALID
        send = server.channel.unary_unary(CLASSIFY)
        bodies = [of_size(MESSAGE_LIMIT), of_size(MESSAGE_LIMIT + 1)]
        assert statuses([send.future(body, timeout=PATIENCE) for body in bodies]) == [INVALID, EXHAUSTED]


def test_an_item_over_the_limit_ends_its_stream_and_no_other_call(loop):
    # Not `unharmed`: gRPC may log that the stream, which it has ended itself, could not be given a status.
    with of_engines(loop, settings={"max_picture_bytes": LIMIT}, shades=FreeEngine()) as server:
        send = server.channel.stream_stream(CLASSIFY_STREAM)
        with pytest.raises(grpc.RpcError) as ended:
            list(send(iter([bytes(MESSAGE_LIMIT + 1)]), timeout=PATIENCE))
        assert ended.value.code() == EXHAUSTED
        assert is_right(server.classify(asked(DARK)), DARK)
