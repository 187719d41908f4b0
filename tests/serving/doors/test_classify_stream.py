"""ClassifyStream over real gRPC: ids, order, items at fault, readers who are slow, and callers who go."""

import queue

import grpc

from protos import classification_pb2 as pb
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING, asked, label_of, levels_in
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine
from tests.serving.loops import eventually
from tests.serving.running import of_engines


def item(id: str, request: pb.ClassifyRequest) -> pb.ClassifyStreamRequest:
    return pb.ClassifyStreamRequest(id=id, request=request)


class Conversation:
    """A stream that stays open while the test sends items one by one."""

    def __init__(self, stub) -> None:
        self._items: queue.SimpleQueue[pb.ClassifyStreamRequest | None] = queue.SimpleQueue()
        self.answers = stub.ClassifyStream(iter(self._items.get, None), timeout=PATIENCE)

    def send(self, id: str, request: pb.ClassifyRequest) -> None:
        self._items.put(item(id, request))

    def end(self) -> None:
        self._items.put(None)

    def next_id(self) -> str:
        return next(self.answers).id


def test_every_item_is_answered_under_its_callers_id(loop):
    levels = [DARK, MIDDLING, BRIGHT] * 30
    with of_engines(loop, shades=FreeEngine()) as server:
        items = (item(f"{number}", asked(level)) for number, level in enumerate(levels))
        answers = list(server.stub.ClassifyStream(items, timeout=PATIENCE))
    assert {answer.id: answer.response.predictions[0].label for answer in answers} == {
        f"{number}": label_of(level) for number, level in enumerate(levels)
    }
    assert len(answers) == len(levels)


def test_ids_need_not_be_unique(loop):
    with of_engines(loop, shades=FreeEngine()) as server:
        items = iter([item("same", asked(DARK)), item("same", asked(DARK)), item("", asked(DARK))])
        assert sorted(each.id for each in server.stub.ClassifyStream(items, timeout=PATIENCE)) == ["", "same", "same"]


def test_an_answer_that_is_ready_does_not_wait_for_an_earlier_item(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine, tones=FreeEngine()) as server:
        conversation = Conversation(server.stub)
        conversation.send("slow", asked(DARK, "shades"))
        engine.wait_until_busy()
        conversation.send("fast", asked(DARK, "tones"))
        assert conversation.next_id() == "fast"
        engine.let_go()
        assert conversation.next_id() == "slow"
        conversation.end()
        assert list(conversation.answers) == []


def test_an_item_at_fault_is_answered_by_its_status_and_leaves_the_stream_open(loop):
    with of_engines(loop, shades=FreeEngine()) as server:
        conversation = Conversation(server.stub)
        conversation.send("unknown", asked(DARK, "absent"))
        refused = next(conversation.answers)
        conversation.send("right", asked(DARK))
        answered = next(conversation.answers)
        conversation.end()
        assert list(conversation.answers) == []
    assert (refused.id, refused.error.code) == ("unknown", grpc.StatusCode.NOT_FOUND.value[0])
    assert "'absent' is not" in refused.error.message
    assert answered.response.predictions[0].label == label_of(DARK)


def test_an_item_without_a_request_is_at_fault(loop):
    with of_engines(loop, shades=FreeEngine()) as server:
        (refused,) = server.stub.ClassifyStream(iter([pb.ClassifyStreamRequest(id="empty")]), timeout=PATIENCE)
    assert refused.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


def test_a_stream_holds_a_bounded_number_of_items(loop):
    engine = HeldEngine()
    with of_engines(loop, settings={"stream_window": 4}, shades=engine) as server:
        conversation = Conversation(server.stub)
        for number in range(20):
            conversation.send(f"{number}", asked(DARK))
        conversation.end()
        engine.wait_until_busy()
        (servable,) = server.server.repository.servables
        eventually(lambda: len(engine.batches[0]) + servable.queued_rows == 4)
        engine.let_go()
        assert len(list(conversation.answers)) == 20
    assert max(map(len, levels_in(engine.batches))) <= 4


def test_a_cancelled_stream_cancels_its_work(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        conversation = Conversation(server.stub)
        conversation.send("computing", asked(DARK))
        engine.wait_until_busy()
        for number in range(5):
            conversation.send(f"waiting {number}", asked(BRIGHT))
        server.wait_for_queue(5)
        conversation.answers.cancel()
        server.wait_for_queue(0)
        engine.let_go()
        conversation.end()
    assert levels_in(engine.batches) == [[DARK]]


def test_a_streams_deadline_holds_for_its_items(loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server:
        answers = server.stub.ClassifyStream(iter([item("late", asked(DARK))]), timeout=0.3)
        assert answers.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        engine.let_go()
