"""Files that change while the server runs."""

import logging

import pytest

from serving.doors.locks.renewed import Renewed
from serving.errors import LockRejected
from tests.serving.fakes import FakeClock


def number_in(path):
    text = path.read_text()
    if not text.isdigit():
        raise LockRejected(f"A number has digits; {text!r} came.")
    return int(text)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "number"
    path.write_text("1")
    return path


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def renewed(path, clock):
    return Renewed([path], lambda: number_in(path), clock)


def test_a_file_that_changed_is_read_again(renewed, path, clock):
    path.write_text("22")
    clock.advance(1)
    assert renewed.current == 22


def test_a_file_that_was_replaced_by_one_of_the_same_size_is_read_again(renewed, path, clock):
    (path.parent / "next").write_text("2")
    (path.parent / "next").replace(path)
    clock.advance(1)
    assert renewed.current == 2


def test_files_are_looked_at_no_more_than_once_a_second(renewed, path, clock):
    path.write_text("22")
    clock.advance(0.9)
    assert renewed.current == 1


def test_a_file_that_did_not_change_is_not_read(path, clock):
    reads = []
    renewed = Renewed([path], lambda: reads.append(1), clock)
    clock.advance(5)
    _ = renewed.current
    assert len(reads) == 1


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("no number"), lambda path: path.unlink()])
def test_a_file_that_cannot_be_read_leaves_what_was_and_is_logged_once(renewed, path, clock, caplog, spoil):
    spoil(path)
    for _ in range(3):
        clock.advance(1)
        assert renewed.current == 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert str(path) in record.getMessage()


def test_a_file_that_is_mended_is_read_again(renewed, path, clock):
    path.write_text("no number")
    clock.advance(1)
    assert renewed.current == 1
    path.write_text("333")
    clock.advance(1)
    assert renewed.current == 333


def test_a_file_that_never_made_sense_is_the_makers_trouble(path, clock):
    path.write_text("no number")
    with pytest.raises(LockRejected, match="no number"):
        Renewed([path], lambda: number_in(path), clock)
