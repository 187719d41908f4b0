"""tencrop replay, from one server's log against another."""

import json

import pytest
from click.testing import CliRunner

from protos.request_log_pb2 import RecordedCall
from serving.commands.replay import replay_command
from serving.models.catalogue import ServedModel
from serving.models.repository import Repository
from serving.request_log.replaying import AsRecorded, AtRate
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.fakes import FreeEngine, brightness_logits, fake_servable
from tests.serving.running import of_engines, running


def contrary(rows):
    """The other way round: what is dark is bright."""
    return brightness_logits(255 - rows)


@pytest.fixture
def log(loop, tmp_path):
    settings = {"request_log": tmp_path / "log", "request_log_percent": 100, "request_log_pictures": "bytes"}
    with of_engines(loop, shades=FreeEngine(), settings=settings) as server:
        for level in (DARK, BRIGHT, BRIGHT, BRIGHT):
            server.classify(asked(level))
    return tmp_path / "log"


@pytest.fixture
def server(loop):
    """Versions 1, that answered before, and 2, which says the contrary."""

    def load(settings, metrics):
        servables = {
            version: fake_servable("shades", version, FreeEngine(score))
            for version, score in ((1, brightness_logits), (2, contrary))
        }
        return Repository({"shades": ServedModel("shades", servables)}, {})

    with running(loop, load) as server:
        yield server


def replayed(log, server, *options):
    return CliRunner().invoke(replay_command, [str(log), "--server", server.address, *options])


@pytest.mark.parametrize("pace", [(), ("--concurrency", "2"), ("--rate", "500"), ("--as-recorded",)])
def test_a_version_that_says_the_same_passes_at_every_pace(log, server, pace):
    result = replayed(log, server, "--against", "1", "--max-changed", "0", "--json", *pace)
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["answered"], summary["compared"], summary["changed"], summary["failed"]) == (4, 4, 0, {})
    assert 0 < summary["seconds"]["p50"] <= summary["seconds"]["p95"] <= summary["seconds"]["p99"]


def test_a_version_that_says_something_else_fails_and_its_changes_are_listed(log, server):
    result = replayed(log, server, "--against", "2", "--max-changed", "50")
    assert result.exit_code == 1
    assert "4 of 4 winners changed (100.00 %)" in result.stdout
    assert [line.split() for line in result.stdout.splitlines()[-2:]] == [
        [label_of(BRIGHT), label_of(DARK), "3"],
        [label_of(DARK), label_of(BRIGHT), "1"],
    ]
    assert replayed(log, server, "--against", "2").exit_code == 0


def test_calls_that_fail_are_counted_by_their_error(log, server):
    result = replayed(log, server, "--against", "9", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["failed"] == {"NotServed": 4}


def test_a_log_without_pictures_cannot_be_sent_again(loop, server, tmp_path):
    settings = {"request_log": tmp_path, "request_log_percent": 100}
    with of_engines(loop, shades=FreeEngine(), settings=settings) as recording:
        recording.classify(asked(DARK))
    result = replayed(tmp_path, server)
    assert "none of 1" in str(result.exception)


def test_a_directory_without_a_log_is_refused(server, tmp_path):
    assert "has none" in str(replayed(tmp_path, server).exception)


def test_a_file_that_is_damaged_is_named(log, server):
    (path,) = log.glob("*.tfrecord")
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path} does not" in str(replayed(log, server).exception)


def test_a_replay_has_one_pace(log, server):
    assert "one pace" in replayed(log, server, "--rate", "5", "--as-recorded").output


def test_calls_are_due_as_they_were_recorded_or_by_the_rate():
    calls = [RecordedCall(ended_unix_nanos=int(ended * 1e9), seconds=took) for ended, took in ((100, 1), (102, 0.5))]
    pace = AsRecorded()
    assert [pace.due(number, call) for number, call in enumerate(calls)] == [0, 2.5]
    assert [AtRate(4).due(number, call) for number, call in enumerate(calls)] == [0, 0.25]
