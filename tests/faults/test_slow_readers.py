"""A caller who sends and does not read: what the server holds for it is bounded, and all is answered once it reads."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import grpc

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from tests.faults.asking import statuses
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


@contextmanager
def stub_of_its_own(server: Running) -> Iterator[ClassificationStub]:
    """A caller with a connection of its own, which holds no more for it than gRPC has to."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]
    with grpc.insecure_channel(server.address, options) as channel:
        yield ClassificationStub(channel)


def unread(stub: ClassificationStub) -> grpc.Call:
    """A stream of many items, none of whose answers is read before the test does so."""
    items = (pb.ClassifyStreamRequest(id=f"{id} {LONG}", request=asked(DARK)) for id in range(ITEMS))
    return stub.ClassifyStream(items, timeout=PATIENCE)


def answers_given(server: Running) -> float:
    return Books(server).calls(method="ClassifyStream")


def test_a_caller_who_does_not_read_is_not_read_from_and_gets_every_answer_in_the_end(unharmed):
    with unharmed(settings={"stream_window": 4}, shades=FreeEngine()) as server, stub_of_its_own(server) as stub:
        answers = unread(stub)
        assert 0 < settled(server, lambda: answers_given(server)) < ITEMS / 4
        read = [(int(answer.id.split()[0]), answer.response.label) for answer in answers]
        assert sorted(read) == [(id, label_of(DARK)) for id in range(ITEMS)]


def test_nothing_is_kept_for_callers_who_did_not_read_and_have_gone(unharmed):
    with unharmed(settings={"stream_window": 4}, shades=FreeEngine()) as server, ExitStack() as connections:
        streams = [unread(connections.enter_context(stub_of_its_own(server))) for _ in range(5)]
        settled(server, lambda: answers_given(server))
        connections.close()
        assert statuses(streams) == [grpc.StatusCode.CANCELLED] * 5
