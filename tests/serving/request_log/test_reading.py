"""What is read of a log, while a server writes to it and after one was killed."""

import itertools

import pytest

from protos.request_log_pb2 import RecordedCall
from serving.errors import InvalidRequest
from serving.request_log import names
from serving.request_log.files import RecordFiles
from serving.request_log.reading import calls_in, recorded_in


def record(name: str) -> bytes:
    return RecordedCall(request_id=name).SerializeToString()


def ids_in(directory) -> list[str]:
    return [call.request_id for call in recorded_in(directory)]


@pytest.fixture
def log(tmp_path):
    """Files of a server that is at its second call."""
    log = RecordFiles(tmp_path, 16000, itertools.count(1000).__next__)
    log.append(record("first"))
    log.close()
    log.append(record("second"))
    yield log
    log.close()


def test_a_file_that_is_being_written_is_read_after_those_that_are_complete(tmp_path, log):
    assert ids_in(tmp_path) == ["first", "second"]


@pytest.mark.parametrize("cut", [1, 10, 20])
def test_a_record_that_is_not_whole_yet_is_left_out(tmp_path, log, cut):
    (part,) = names.parts(tmp_path)
    part.write_bytes(part.read_bytes()[:-cut])
    assert ids_in(tmp_path) == ["first"]


def test_a_complete_file_that_is_cut_is_refused(tmp_path, log):
    (path,) = names.complete_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InvalidRequest, match="Take the file away"):
        ids_in(tmp_path)


def test_a_file_that_is_completed_or_removed_while_the_log_is_read_is_no_error(tmp_path, log):
    (part,) = names.parts(tmp_path)
    (oldest,) = names.complete_files(tmp_path)
    log.close()
    oldest.unlink()
    assert [call.request_id for call in calls_in(part)] == ["second"]
    assert list(calls_in(oldest)) == []


def test_a_directory_without_a_log_is_refused(tmp_path):
    with pytest.raises(InvalidRequest, match="has none"):
        list(recorded_in(tmp_path))
