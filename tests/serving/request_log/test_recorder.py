"""What is kept of calls, and that calls go on whatever becomes of the log."""

import hashlib
import logging
import threading

import grpc
import pytest

from protos import classification_pb2 as pb
from serving.errors import NotServed
from serving.request_log.reading import recorded_in
from serving.request_log.recorder import Recorder
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.running import of_engines

ROOM = 2**20
SERVICE = "tencrop.v1.Classification"
WRITTEN = {"outcome": "written"}


class Counted:
    """Outcomes of records, in order."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def recorded(self, outcome: str) -> None:
        self.outcomes.append(outcome)


def serving(loop, directory, **settings):
    settings = {"request_log": directory, "request_log_percent": 100, **settings}
    return of_engines(loop, shades=FreeEngine(), settings=settings)


def test_calls_are_kept_with_what_was_asked_and_answered(loop, tmp_path):
    with serving(loop, tmp_path, request_log_pictures="bytes") as server:
        request = asked(BRIGHT, routing_key="a person")
        server.classify(request)
        server.refusal(asked(DARK, top_k=99))
        list(server.stub.ClassifyStream(iter([pb.ClassifyStreamRequest(request=asked(DARK))]), timeout=PATIENCE))
    answered, refused, streamed = recorded_in(tmp_path)
    assert [answered.method, streamed.method] == [f"{SERVICE}/Classify", f"{SERVICE}/ClassifyStream"]
    assert answered.request == asked(BRIGHT)  # without the key
    assert answered.response.label == label_of(BRIGHT)
    assert answered.response.model_versions[0].version == 1
    assert 0 < answered.seconds < PATIENCE
    assert answered.request_id
    assert refused.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


def test_pictures_are_left_out_unless_their_bytes_are_asked_for(loop, tmp_path):
    with serving(loop, tmp_path) as server:
        server.classify(asked(DARK))
    (call,) = recorded_in(tmp_path)
    assert not call.request.WhichOneof("picture")
    assert call.picture_hash == hashlib.blake2b(bytes([DARK]) * 64, digest_size=32).digest()


def test_the_share_that_is_wanted_is_kept(tmp_path):
    dice = iter([0.0, 0.09, 0.1, 0.5])
    recorder = Recorder(tmp_path, 10, "hash", ROOM, Counted(), dice.__next__)
    for _ in range(4):
        recorder.failed(asked(DARK), NotServed("gone"), 0.1)
    recorder.close()
    assert len(list(recorded_in(tmp_path))) == 2


def test_a_directory_that_cannot_be_written_fails_no_call_and_is_said_once(loop, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.ERROR), serving(loop, tmp_path / "file") as server:
        for _ in range(5):
            assert server.classify(asked(DARK)).label == label_of(DARK)
        server.server._recorder.close()
        assert server.sample("tencrop_request_log_records_total", outcome="failed") == 5
        assert server.sample("tencrop_request_log_records_total", **WRITTEN) == 0
    assert caplog.text.count("the request log cannot be written") == 1


def test_while_the_disk_hangs_calls_beyond_the_bound_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr("serving.request_log.recorder._WAITING_CALLS", 3)
    counted, hangs = Counted(), threading.Event()
    recorder = Recorder(tmp_path, 100, "hash", ROOM, counted)
    monkeypatch.setattr(recorder._files, "append", lambda record: hangs.wait(PATIENCE))
    for _ in range(5):
        recorder.failed(asked(DARK), NotServed("gone"), 0.1)
    assert counted.outcomes == ["dropped"] * 2
    hangs.set()
    recorder.close()
    assert counted.outcomes == ["dropped"] * 2 + ["written"] * 3


def test_a_disk_that_hangs_does_not_hold_up_the_end(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("serving.request_log.recorder._LAST_WRITES_SECONDS", 0.0)
    hangs = threading.Event()
    recorder = Recorder(tmp_path, 100, "hash", ROOM, Counted())
    monkeypatch.setattr(recorder._files, "append", lambda record: hangs.wait(PATIENCE))
    recorder.failed(asked(DARK), NotServed("gone"), 0.1)
    recorder.close()
    assert "could not be completed" in caplog.text
    hangs.set()
    recorder._thread.join(PATIENCE)


@pytest.mark.parametrize("size", [2**26])
def test_a_request_larger_than_what_may_wait_is_dropped(tmp_path, size):
    counted = Counted()
    recorder = Recorder(tmp_path, 100, "hash", ROOM, counted)
    recorder.failed(pb.ClassifyRequest(encoded=bytes(size)), NotServed("gone"), 0.1)
    recorder.close()
    assert counted.outcomes == ["dropped"]
