"""A directory of records: bounded, whole, shared, and going on after a full disk and after a server that was killed."""

import fcntl
import itertools
import os
import subprocess
import sys

import pytest

from serving.request_log.files import RecordFiles
from serving.tfrecords import framed, records_in
from tests.serving.processes import TREE

ROOM = 16 * 1000


def files(root, max_bytes=ROOM, writer="host-1", begins=10**18) -> RecordFiles:
    return RecordFiles(root / "log", max_bytes, itertools.count(begins).__next__, writer)


def kept(root, writer="") -> list[bytes]:
    """What the complete files hold; those of one writer."""
    return [record for path in sorted((root / "log").glob(f"*{writer}.tfrecord")) for record in records_in(path)]


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


def test_servers_that_share_a_directory_keep_as_much_as_each_alone_would(tmp_path):
    idle, busy = files(tmp_path, writer="host-2"), files(tmp_path, writer="host-1", begins=2 * 10**18)
    seldom = [b"%06d" % number * 20 for number in range(10)]  # a file that is complete, and one that is not
    for record in seldom:
        idle.append(record)
    for number in range(500):
        busy.append(b"%06d" % number * 20)
    busy.close()
    idle.close()
    assert kept(tmp_path, "host-2") == seldom
    assert 0.8 * ROOM < size(tmp_path) <= ROOM + 2000


def test_servers_that_are_called_the_same_share_a_bound(tmp_path):
    """In containers that share their host's name, every process is number 1."""
    busy, idle = files(tmp_path), files(tmp_path, begins=2 * 10**18)
    idle.append(b"seldom")
    for number in range(500):
        busy.append(b"%06d" % number * 20)
    busy.close()
    idle.close()
    assert 0.8 * ROOM < size(tmp_path) <= ROOM + 100


def test_files_of_servers_that_have_gone_make_room(tmp_path):
    gone, server = files(tmp_path, writer="host-1"), files(tmp_path, writer="host-2", begins=2 * 10**18)
    for log in (gone, server):
        for number in range(500):
            log.append(b"%06d" % number * 20)
        log.close()
    assert kept(tmp_path, "host-1") == []
    assert size(tmp_path) <= ROOM


WRITES = """
import itertools, sys, time
from pathlib import Path
from serving.request_log.files import RecordFiles

log = RecordFiles(Path(sys.argv[1]), 16000, itertools.count(10**18).__next__)
log.append(b"one")
log.append(b"two")
print("written", flush=True)
sys.stdin.read()
"""


def killed_writer(directory) -> None:
    """A server that has written b"one" and b"two", and is killed by -9."""
    command = [sys.executable, "-c", WRITES, str(directory)]
    with subprocess.Popen(command, cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        process.kill()


@pytest.mark.parametrize("half", [b"", framed(b"three")[:-1], framed(b"three")[:5]], ids=["whole", "cut", "head"])
def test_what_a_killed_server_left_is_completed_by_the_next_up_to_its_last_whole_record(tmp_path, half):
    killed_writer(tmp_path / "log")
    (part,) = (tmp_path / "log").iterdir()
    part.write_bytes(part.read_bytes() + half)
    files(tmp_path).recover()
    assert kept(tmp_path) == [b"one", b"two"]
    assert not part.exists()


def test_a_killed_server_that_left_nothing_whole_leaves_no_file(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "requests-1-host-1.tfrecord.part").write_bytes(framed(b"one")[:-1])
    files(tmp_path).recover()
    assert list((tmp_path / "log").iterdir()) == []


def test_what_another_server_is_writing_is_left_to_it(tmp_path):
    writing = files(tmp_path)
    writing.append(b"one")
    files(tmp_path, writer="host-2").recover()
    writing.append(b"two")
    writing.close()
    assert kept(tmp_path) == [b"one", b"two"]


def test_a_part_that_another_server_removes_before_it_is_locked_is_begun_again(tmp_path, monkeypatch):
    lock, taken = fcntl.flock, []

    def lock_later(part, how) -> None:
        if not taken:
            taken.append(part.name)
            os.unlink(part.name)
        lock(part, how)

    monkeypatch.setattr(fcntl, "flock", lock_later)
    log = files(tmp_path)
    log.append(b"one")
    log.close()
    assert taken
    assert kept(tmp_path) == [b"one"]


def test_a_file_system_without_locks_is_told_and_nothing_is_left_there(tmp_path, monkeypatch):
    def refuse(part, how) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="where files can be locked"):
        files(tmp_path).append(b"one")
    assert list((tmp_path / "log").iterdir()) == []
