"""SIGTERM to a real `tencrop serve`: what is in flight is answered, what is new is refused, and the end is clean.

Starting a server takes seconds: one is stopped, with everything in flight, and each test looks at one side of that.
"""

import queue
import re
import signal
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from tests.serving.choir import SHADES_1
from tests.serving.loops import eventually
from tests.serving.processes import PATIENCE, tencrop_serve
from tests.serving.tiny import LABELS

HELD = pb.ClassifyRequest(  # waits in the engine until the gate is open
    tensor=pb.Tensor(data_type=pb.Tensor.DATA_TYPE_UINT8, shape=[16, 16, 3], content=b"\xff" * (16 * 16 * 3))
)
FREE = pb.ClassifyRequest(
    tensor=pb.Tensor(data_type=pb.Tensor.DATA_TYPE_UINT8, shape=[16, 16, 3], content=bytes(16 * 16 * 3))
)
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass
class Story:
    """What was seen while a server stopped."""

    health: list[int] = field(default_factory=list)
    """Of the server and of its model, once it was told to stop."""
    end_of_watches: list[grpc.StatusCode] = field(default_factory=list)
    readiness: int = 0
    liveness: int = 0
    new_call: grpc.StatusCode | None = None
    answer: pb.ClassifyResponse | None = None
    streamed: list[pb.ClassifyStreamResponse] = field(default_factory=list)
    end_of_stream: grpc.StatusCode | None = None
    exit_code: int | None = None
    printed: list[str] = field(default_factory=list)


def http_status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
            return response.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.fixture(scope="module")
def gated(tmp_path_factory):
    """A repository whose model holds white pictures back until a file exists; and that file."""
    root = tmp_path_factory.mktemp("gated")
    gate = root / "gate.open"
    SHADES_1.publish(root / "models", gate)
    return root / "models", gate


@pytest.fixture(scope="module")
def story(gated) -> Story:
    """A server told to stop while a call is computed, a stream is open, and its health is watched."""
    models, gate = gated
    story = Story()
    with (
        tencrop_serve(models, max_batch_size=1, drain_seconds=60, allow_unsafe_models=True) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as newcomer,
    ):
        stub, health = ClassificationStub(channel), health_pb2_grpc.HealthStub(channel)
        watched = [
            health.Watch(health_pb2.HealthCheckRequest(service=name), timeout=PATIENCE) for name in ("", "shades")
        ]
        for watch in watched:
            next(watch)
        call = stub.Classify.future(HELD, timeout=PATIENCE)
        items: queue.SimpleQueue = queue.SimpleQueue()
        stream = stub.ClassifyStream(iter(items.get, None), timeout=PATIENCE)
        items.put(pb.ClassifyStreamRequest(id="in flight", request=HELD))
        eventually(lambda: server.metric("tencrop_batch_rows_count") == 1)
        eventually(lambda: server.metric("tencrop_queue_rows") == 1)

        server.signal(signal.SIGTERM)
        story.health = [next(watch).status for watch in watched]
        story.readiness = http_status(server.http_port, "/readyz")
        story.liveness = http_status(server.http_port, "/healthz")
        story.new_call = ClassificationStub(newcomer).Classify.future(FREE, timeout=PATIENCE).code()
        gate.touch()
        story.answer = call.result()
        try:
            story.streamed.extend(stream)
        except grpc.RpcError as error:
            story.end_of_stream = error.code()
        items.put(None)
        story.end_of_watches = [watch.code() for watch in watched]
        story.exit_code = server.exit_code()
        story.printed = server.printed
    gate.unlink()
    return story


def test_health_goes_not_serving_for_the_server_and_its_models(story):
    assert story.health == [NOT_SERVING, NOT_SERVING]


def test_the_process_says_that_it_lives_but_is_not_ready(story):
    assert (story.liveness, story.readiness) == (200, 503)


def test_a_new_call_is_refused(story):
    assert story.new_call == grpc.StatusCode.UNAVAILABLE


def test_a_call_in_flight_is_answered(story):
    assert story.answer.predictions[0].label in LABELS


def test_a_picture_that_a_stream_has_sent_is_answered(story):
    assert [(item.id, item.WhichOneof("outcome")) for item in story.streamed] == [("in flight", "response")]


def test_an_open_stream_ends_as_unavailable(story):
    assert story.end_of_stream == grpc.StatusCode.UNAVAILABLE


def test_a_watch_of_the_health_ends_once_all_is_answered_and_not_after_the_drain_time(story):
    assert story.end_of_watches == [grpc.StatusCode.OK] * 2


def test_the_process_exits_with_0(story):
    assert story.exit_code == 0


def test_the_last_line_says_so_and_no_stack_trace_is_printed(story):
    assert story.printed[-1] == "Stopped: every call was answered or refused."
    assert not any("Traceback" in line for line in story.printed)


def test_the_first_lines_say_what_is_served_and_what_to_try(story, gated):
    text = "\n".join(story.printed)
    assert f"Loading models from {gated[0]}" in text
    assert "shades" in text
    assert re.search(r"tencrop\S* classify \S+ --model shades --views ten --server localhost:\d+", text)


def test_a_call_that_does_not_end_is_cut_off_after_the_drain_time(gated):
    models, gate = gated
    with (
        tencrop_serve(models, max_batch_size=1, drain_seconds=0.5, allow_unsafe_models=True) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
    ):
        call = ClassificationStub(channel).Classify.future(HELD, timeout=PATIENCE)
        eventually(lambda: server.metric("tencrop_batch_rows_count") == 1)
        server.signal(signal.SIGTERM)
        try:
            assert call.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
            assert server.exit_code(within=20) == 0
        except subprocess.TimeoutExpired:
            pytest.fail("the server waits for its engine without bound")
        finally:
            gate.touch()
            gate.unlink()
