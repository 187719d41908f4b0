"""tencrop replay, from one server's log against another."""

import json

import pytest
from click.testing import CliRunner

from protos import classification_pb2 as pb
from protos.request_log_pb2 import RecordedCall
from serving.commands.replay import replay_command
from serving.models.catalogue import ServedModel
from serving.models.repository import Repository
from serving.request_log.outcomes import Outcomes
from serving.request_log.replaying import AsRecorded, AtRate
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.fakes import FreeEngine, brightness_logits, fake_servable
from tests.serving.running import of_engines, running


def contrary(rows):
    """The other way round: what is dark is bright."""
    return brightness_logits(255 - rows)


def failing(rows):
    raise RuntimeError("out of memory")


def keeping(directory) -> dict:
    return {"request_log": directory, "request_log_percent": 100, "request_log_pictures": "bytes"}


@pytest.fixture
def log(loop, tmp_path):
    with of_engines(loop, shades=FreeEngine(), settings=keeping(tmp_path / "log")) as server:
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
    assert [line.split() for line in result.stdout.splitlines()[-3:-1]] == [
        [label_of(BRIGHT), label_of(DARK), "3"],
        [label_of(DARK), label_of(BRIGHT), "1"],
    ]
    assert "Fails: At most 50 % of the winners change; 100.00 % of 4 did." in result.stdout


def test_winners_that_change_fail_a_replay_that_was_given_no_bound(log, server):
    assert replayed(log, server, "--against", "2").exit_code == 1
    assert replayed(log, server, "--against", "1").exit_code == 0
    assert replayed(log, server, "--against", "2", "--max-changed", "100").exit_code == 0


@pytest.mark.parametrize(("changed", "passes"), [(1, True), (2, False)])
def test_one_winner_in_200_may_change(changed, passes):
    calls = [RecordedCall(response=pb.ClassifyResponse(label="boot"))] * 200
    outcomes = Outcomes()
    for number, call in enumerate(calls):
        outcomes.add(call, "bag" if number < changed else "boot", 0.1)
    assert (not outcomes.objections(max_changed=0.5)) == passes


def test_a_replay_that_compares_nothing_fails(loop, server, tmp_path):
    with of_engines(loop, shades=FreeEngine(failing), settings=keeping(tmp_path)) as recording:
        recording.refusal(asked(DARK))
    result = replayed(tmp_path, server)
    assert result.exit_code == 1
    assert "no call was answered both then and now" in result.stdout


def test_a_call_that_was_its_callers_fault_fails_no_replay(loop, server, tmp_path):
    with of_engines(loop, shades=FreeEngine(), settings=keeping(tmp_path)) as recording:
        recording.refusal(asked(DARK, top_k=99))
        recording.refusal(asked(DARK, "unknown"))
        recording.classify(asked(DARK))
    result = replayed(tmp_path, server, "--json")
    assert result.exit_code == 1, "version 2 says something else"
    summary = json.loads(replayed(tmp_path, server, "--against", "1", "--json").stdout)
    assert (summary["answered"], summary["refused_again"], summary["failed"]) == (1, 2, {})
    assert summary["objections"] == []


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
