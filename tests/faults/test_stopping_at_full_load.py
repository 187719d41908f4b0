"""SIGTERM to a real `tencrop serve` while it has all it can do: no call is lost, and no picture of a stream.

Starting a server takes seconds: one is stopped, and each test looks at one side of that.
"""

import itertools
import signal
import threading
from dataclasses import dataclass, field

import grpc
import pytest

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from tests.serving.choir import SHADES_1
from tests.serving.loops import eventually
from tests.serving.processes import PATIENCE, tencrop_serve

CALLERS, STREAMS = 16, 4
PICTURE = pb.ClassifyRequest(
    tensor=pb.Tensor(data_type=pb.Tensor.DATA_TYPE_UINT8, shape=[16, 16, 3], content=bytes(16 * 16 * 3))
)


@dataclass
class Story:
    """What callers saw who went on asking until they were refused, and how the process ended."""

    calls: list[grpc.StatusCode] = field(default_factory=list)
    """How the last call of each ended."""
    streams: list[grpc.StatusCode] = field(default_factory=list)
    streamed: list[list[pb.ClassifyStreamResponse]] = field(default_factory=list)
    """The answers of each stream."""
    exit_code: int | None = None
    printed: list[str] = field(default_factory=list)

    def ask(self, stub: ClassificationStub) -> None:
        try:
            while True:
                stub.Classify(PICTURE, timeout=PATIENCE)
        except grpc.RpcError as error:
            self.calls.append(error.code())

    def stream(self, stub: ClassificationStub) -> None:
        answers: list[pb.ClassifyStreamResponse] = []
        items = (pb.ClassifyStreamRequest(id=f"{number}", request=PICTURE) for number in itertools.count())
        try:
            answers.extend(stub.ClassifyStream(items, timeout=PATIENCE))
        except grpc.RpcError as error:
            self.streams.append(error.code())
        self.streamed.append(answers)


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Story:
    root = tmp_path_factory.mktemp("models")
    SHADES_1.publish(root)
    story = Story()
    with tencrop_serve(root) as server, grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = ClassificationStub(channel)
        told = [story.ask] * CALLERS + [story.stream] * STREAMS
        callers = [threading.Thread(target=each, args=(stub,)) for each in told]
        for caller in callers:
            caller.start()
        eventually(lambda: server.metric("tencrop_batch_rows_count") > 50)
        server.signal(signal.SIGTERM)
        for caller in callers:
            caller.join()
        story.exit_code = server.exit_code()
        story.printed = server.printed
    return story


def test_every_call_was_answered_but_the_last_which_was_told_that_the_server_stops(story):
    assert story.calls == [grpc.StatusCode.UNAVAILABLE] * CALLERS


def test_every_stream_was_told_so_as_well(story):
    assert story.streams == [grpc.StatusCode.UNAVAILABLE] * STREAMS


def test_every_picture_that_a_stream_had_taken_was_answered_once(story):
    for answers in story.streamed:  # pictures are taken in order, so none is missing before the last
        assert answers
        assert sorted(int(answer.id) for answer in answers) == list(range(len(answers)))
        assert all(answer.response.label for answer in answers)


def test_the_process_ends_with_0_and_without_a_stack_trace(story):
    assert story.exit_code == 0
    assert story.printed[-1] == "Stopped: every call was answered or refused."
    assert not any("Traceback" in line for line in story.printed)
