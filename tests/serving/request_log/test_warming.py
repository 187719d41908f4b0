"""A version is warmed up with the calls of a log, and no log keeps it from being served."""

import itertools
import logging

import numpy as np
import pytest

from protos import classification_pb2 as pb
from protos.request_log_pb2 import RecordedCall
from serving.pipeline.picture import Limits
from serving.request_log import warming
from serving.request_log.files import RecordFiles
from serving.request_log.warming import MAX_CALLS, MAX_SECONDS, warm_up
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING, asked, levels_in
from tests.serving.fakes import FakeClock, FreeEngine, fake_servable


def answered(level: int, *models: str, **fields) -> RecordedCall:
    """A call that these answered."""
    versions = [pb.ModelVersion(name=name, version=1) for name in models or ("shades",)]
    response = pb.ClassifyResponse(label="boot", model_versions=versions)
    return RecordedCall(request=asked(level, "choir" if models else "shades", **fields), response=response)


class Scene:
    """A log, and a version that has yet to meet it."""

    def __init__(self, directory) -> None:
        self.directory, self.engine, self.clock = directory, FreeEngine(), FakeClock()
        self._log = RecordFiles(directory, 2**20, itertools.count(1000).__next__)

    def keep(self, *calls: RecordedCall) -> None:
        """In a file of its own."""
        for call in calls:
            self._log.append(call.SerializeToString())
        self._log.close()

    def warm_up(self) -> list[int]:
        """The grey levels that the engine met."""
        warm_up(fake_servable(engine=self.engine), self.directory, Limits(), self.clock)
        return [level for levels in levels_in(self.engine.batches) for level in levels]


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_a_version_is_asked_what_its_model_answered_the_newest_file_first(scene):
    scene.keep(answered(DARK), answered(MIDDLING))
    scene.keep(answered(BRIGHT))
    assert scene.warm_up() == [BRIGHT, DARK, MIDDLING]


def test_calls_that_named_another_version_are_asked_too(scene):
    call = answered(DARK)
    call.request.model.version = 9
    scene.keep(call)
    assert scene.warm_up() == [DARK]


def test_a_member_is_asked_what_its_ensemble_was_and_nobody_what_others_were(scene):
    scene.keep(answered(DARK, "shades", "tones"), answered(BRIGHT, "tones"))
    assert scene.warm_up() == [DARK]


def test_calls_that_failed_are_not_asked_again(scene):
    failed = RecordedCall(request=asked(DARK))
    failed.error.code = 13
    scene.keep(failed, answered(BRIGHT))
    assert scene.warm_up() == [BRIGHT]


def test_no_more_calls_are_asked_than_there_may_be(scene):
    scene.keep(*[answered(DARK)] * (MAX_CALLS + 1))
    assert len(scene.warm_up()) == MAX_CALLS


def test_no_call_is_asked_after_the_time_for_it(scene):
    def score(rows: np.ndarray) -> np.ndarray:
        scene.clock.advance(MAX_SECONDS / 2)
        return np.zeros((len(rows), 3), np.float32)

    scene.engine.score = score
    scene.keep(*[answered(DARK)] * 5)
    assert scene.warm_up() == [DARK] * 2


def test_a_log_without_pictures_is_said_and_does_no_harm(scene, caplog):
    call = answered(DARK)
    call.request.ClearField("picture")
    scene.keep(*[call] * 3)
    assert scene.warm_up() == []
    assert "3 in" in caplog.text
    assert "--request-log-pictures bytes" in caplog.text


def failing(rows):
    raise RuntimeError("out of memory")


def test_calls_that_a_version_cannot_answer_are_said_and_do_no_harm(scene, caplog):
    scene.keep(answered(DARK, top_k=99), answered(BRIGHT))
    assert scene.warm_up() == [BRIGHT]
    assert "does not answer 1 calls" in caplog.text


def test_an_engine_that_fails_on_a_call_is_said_and_does_no_harm(scene, caplog):
    scene.engine.score = failing
    scene.keep(answered(DARK))
    scene.warm_up()
    assert "out of memory" in caplog.text


def test_a_file_that_is_damaged_is_said_and_does_no_harm(scene, caplog):
    scene.keep(answered(DARK))
    (path,) = scene.directory.iterdir()
    path.write_bytes(b"no records")
    assert scene.warm_up() == []
    assert str(path) in caplog.text


def test_a_disk_that_fails_is_said_and_does_no_harm(scene, caplog, monkeypatch):
    def fail(path):
        raise OSError(5, "Input/output error", str(path))

    scene.keep(answered(DARK))
    monkeypatch.setattr(warming, "calls_in", fail)
    assert scene.warm_up() == []
    assert "Input/output error" in caplog.text


def test_a_log_that_is_not_there_yet_does_no_harm(scene, caplog):
    with caplog.at_level(logging.INFO):
        assert scene.warm_up() == []
    assert "warmed up with 0 calls" in caplog.text
