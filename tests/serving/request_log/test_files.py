"""A directory of records: bounded, whole, and going on after a full disk."""

import itertools

import pytest

from serving.request_log.files import RecordFiles
from serving.tfrecords import records_in

ROOM = 16 * 1000


def files(root, max_bytes=ROOM) -> RecordFiles:
    return RecordFiles(root / "log", max_bytes, itertools.count(10**18).__next__, "host-1")


def kept(root) -> list[bytes]:
    return [record for path in sorted((root / "log").glob("*.tfrecord")) for record in records_in(path)]


def size(root) -> int:
    return sum(path.stat().st_size for path in (root / "log").iterdir())


def test_a_file_has_its_name_only_once_it_is_complete(tmp_path):
    log = files(tmp_path)
    log.append(b"one")
    assert [path.suffix for path in (tmp_path / "log").iterdir()] == [".part"]
    log.close()
    assert kept(tmp_path) == [b"one"]


def test_the_oldest_records_go_and_the_directory_stays_within_its_bound(tmp_path):
    log, records = files(tmp_path), [b"%06d" % number * 20 for number in range(500)]
    for record in records:
        log.append(record)
        assert size(tmp_path) <= ROOM
    log.close()
    assert kept(tmp_path) == records[-len(kept(tmp_path)) :]
    assert size(tmp_path) > 0.8 * ROOM


def test_what_a_server_before_has_left_counts_too(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "requests-1.tfrecord.part").write_bytes(bytes(ROOM))
    (tmp_path / "log" / "notes.txt").write_text("not the log's")
    log = files(tmp_path)
    log.append(b"one")
    log.close()
    names = sorted(path.name for path in (tmp_path / "log").iterdir())
    assert names == ["notes.txt", "requests-1000000000000000000-host-1.tfrecord"]


def test_a_record_that_no_room_would_do_for_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has to fit into 16000 bytes"):
        files(tmp_path).append(bytes(ROOM))


class FullDisk:
    """A file on a disk that is full after so many bytes, until it is not."""

    def __init__(self, file, room: int) -> None:
        self._file = file
        self.room = room

    def write(self, data) -> int:
        written = self._file.write(data[: self.room])
        self.room -= written
        if not written:
            raise OSError(28, "No space left on device")
        return written

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_full_disk_leaves_whole_records_and_the_next_ones_are_kept(tmp_path):
    log = files(tmp_path)
    log.append(b"one")
    log._part = FullDisk(log._part, room=20)
    with pytest.raises(OSError, match="No space left"):
        log.append(bytes(100))
    log.append(b"three")
    log.close()
    assert kept(tmp_path) == [b"one", b"three"]
