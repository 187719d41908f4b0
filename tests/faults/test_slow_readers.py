"""A caller who sends and does not read: what the server holds for it is bounded, and all is answered once it reads."""

from collections.abc import Callable

import grpc

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from tests.faults.books import Books
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.loops import eventually
from tests.serving.running import Running

ITEMS = 200
LONG = "x" * 2**16
"""Part of every id, which is given back: so an answer fills what gRPC itself holds for a caller who does not read."""


def settled(server: Running, count: Callable[[], float]) -> float:
    """What `count()` comes to, once it stays the same while another caller gets fifty answers."""
    seen: list[float] = []

    def stays() -> bool:
        seen.append(count())
        for _ in range(50):
            server.classify(asked(BRIGHT))
        return count() == seen[-1]

    eventually(stays)
    return seen[-1]


def test_a_caller_who_does_not_read_is_not_read_from_and_gets_every_answer_in_the_end(unharmed):
    with unharmed(settings={"stream_window": 4}, shades=FreeEngine()) as server:
        own_connection = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]
        with grpc.insecure_channel(server.address, own_connection) as channel:
            items = (pb.ClassifyStreamRequest(id=f"{id} {LONG}", request=asked(DARK)) for id in range(ITEMS))
            answers = ClassificationStub(channel).ClassifyStream(items, timeout=PATIENCE)
            answered = settled(server, lambda: Books(server).calls(method="ClassifyStream"))
            assert 0 < answered < ITEMS / 4
            read = [(int(answer.id.split()[0]), answer.response.label) for answer in answers]
        assert sorted(read) == [(id, label_of(DARK)) for id in range(ITEMS)]
