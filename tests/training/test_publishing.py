import threading

import pytest

from training.durable import replacing
from training.publishing import newest_version, publish


def write(text):
    return lambda directory: (directory / "model").write_text(text)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_versions_count_up(tmp_path):
    directory = tmp_path / "models" / "boots"
    assert [publish(directory, write(text)).name for text in "abc"] == ["1", "2", "3"]
    assert (directory / "2" / "model").read_text() == "b"
    assert newest_version(directory) == directory / "3"


def test_ten_follows_nine(tmp_path):
    (tmp_path / "9").mkdir()
    assert publish(tmp_path, write("x")).name == "10"


def test_nothing_is_seen_before_the_version_is_whole(tmp_path):
    def fill(directory):
        (directory / "half").write_text("x")
        assert newest_version(tmp_path) is None

    publish(tmp_path, fill)
    assert names(tmp_path) == ["1"]


def test_a_failed_publish_leaves_nothing(tmp_path):
    def fail(directory):
        (directory / "half").write_text("x")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        publish(tmp_path, fail)
    assert names(tmp_path) == []


def test_what_a_killed_publisher_left_is_removed(tmp_path):
    leftover = tmp_path / ".publishing-dead"
    leftover.mkdir()
    (leftover / "half").write_text("x")
    publish(tmp_path, write("whole"))
    assert names(tmp_path) == ["1"]


def test_publishers_at_the_same_time_get_numbers_of_their_own(tmp_path):
    threads = [threading.Thread(target=publish, args=(tmp_path, write(str(number)))) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == sorted(map(str, range(1, 9)))
    assert sorted((tmp_path / name / "model").read_text() for name in names(tmp_path)) == sorted("01234567")


def test_a_number_taken_by_hand_meanwhile_is_passed_over(tmp_path):
    def fill(directory):
        (directory / "model").write_text("mine")
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "model").write_text("copied")

    assert publish(tmp_path, fill).name == "2"
    assert (tmp_path / "1" / "model").read_text() == "copied"


def test_others_may_read_what_is_published(tmp_path):
    assert publish(tmp_path, write("x")).stat().st_mode & 0o555 == 0o555


def test_a_file_is_replaced_whole_or_stays_as_it_was(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"half", None])
    assert path.read_text() == "old"
    with replacing(path) as file:
        file.write(b"new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["checkpoint"]
