"""What the clients raise, sync and async alike: one class a fault, wherever it is."""

import socket

import numpy as np
import pytest

from serving import errors
from serving.client import Question
from serving.models.servable import Batching
from tests.serving.fakes import FreeEngine, HeldEngine
from tests.serving.picture_files import file_of, noise
from tests.serving.running import of_engines

PICTURE = noise(16, 20)
ENCODED = file_of(PICTURE)


def test_a_stream_raises_at_the_first_picture_that_fails_and_names_it(client):
    with pytest.raises(errors.InvalidRequest, match="the second: A picture is"):
        dict(client.classify_stream([("the first", ENCODED), ("the second", b"no picture")], model="shades"))


def test_a_stream_raises_what_is_wrong_with_a_file(client, tmp_path):
    with pytest.raises(FileNotFoundError):
        list(client.classify_stream([("a", ENCODED), ("b", tmp_path / "missing.png")]))


def test_a_stream_raises_what_is_wrong_with_a_question(client):
    with pytest.raises(errors.InvalidRequest, match="views is one of"):
        list(client.classify_stream([("a", ENCODED)], views="eleven"))


@pytest.mark.parametrize(
    ("question", "error"),
    [
        ({"model": "absent"}, errors.NotServed),
        ({"model": "shades", "top_k": 0}, errors.InvalidRequest),
        ({"views": "eleven"}, errors.InvalidRequest),
        ({"vote": "loudest"}, errors.InvalidRequest),
    ],
)
def test_what_is_wrong_with_a_question_is_a_typed_error(client, question, error):
    with pytest.raises(error):
        client.classify(ENCODED, **question)


def test_a_file_that_is_missing_is_said_to_be(client, tmp_path):
    with pytest.raises(FileNotFoundError):
        client.classify(tmp_path / "missing.png")


def test_samples_of_another_type_are_refused_before_they_are_sent(client):
    with pytest.raises(errors.InvalidRequest, match="uint8 or float32; int64 came"):
        client.classify(PICTURE.astype(np.int64))


def test_a_full_queue_is_overloaded(connect, loop):
    engine = HeldEngine()
    one_row = Batching.of(max_batch_size=1, max_queue_rows=1)
    with of_engines(loop, batching=one_row, shades=engine) as server, connect(server.address) as client:
        waiting = [server.stub.Classify.future(Question().about(ENCODED))]
        engine.wait_until_busy()
        waiting.append(server.stub.Classify.future(Question().about(ENCODED)))
        server.wait_for_queue(1)  # which is full now
        with pytest.raises(errors.Overloaded, match="At most 1 rows may wait") as refused:
            client.classify(ENCODED)
        assert refused.value.retry_after is None  # not known: the engine has not run yet
        engine.let_go()
        assert [call.result() is not None for call in waiting] == [True, True]


def test_more_views_than_may_ever_wait_are_an_invalid_request(connect, loop):
    one_row = Batching.of(max_batch_size=1, max_queue_rows=1)
    with (
        of_engines(loop, batching=one_row, shades=FreeEngine()) as server,
        connect(server.address) as client,
        pytest.raises(errors.InvalidRequest, match="at most 1 rows, one a view; 2 came"),
    ):
        client.classify(ENCODED, views="mirror")


def test_a_caller_waits_no_longer_than_its_timeout(connect, loop):
    engine = HeldEngine()
    with of_engines(loop, shades=engine) as server, connect(server.address, timeout=0.2) as client:
        with pytest.raises(errors.DeadlinePassed):
            client.classify(ENCODED)
        engine.let_go()


def test_a_servers_own_failure_is_said_to_be(connect, loop):
    def fail(rows):
        raise RuntimeError("secret")

    with of_engines(loop, shades=FreeEngine(fail)) as server, connect(server.address) as client:
        with pytest.raises(errors.ServerFailed, match=r"^INTERNAL: The server failed"):
            client.classify(ENCODED)
        with pytest.raises(errors.ServerFailed, match="the first: The server failed"):
            list(client.classify_stream([("the first", ENCODED)]))


def test_no_server_is_unavailable(connect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody answers, and nobody else can
        with connect(f"127.0.0.1:{taken.getsockname()[1]}") as client:
            with pytest.raises(errors.Unavailable):
                client.classify(ENCODED)
            with pytest.raises(errors.Unavailable):
                client.models()
