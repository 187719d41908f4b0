"""What files beside the versions say of labels, and what becomes of those that make no sense."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.lifecycle.label_files import MAX_FILES, LabelFiles, followed, read_label_files


@pytest.fixture
def put(tmp_path):
    """Writes a label's file of the model in `tmp_path`."""
    (tmp_path / "labels").mkdir()

    def put(label: str, content: bytes) -> None:
        (tmp_path / "labels" / label).write_bytes(content)

    return put


@pytest.mark.parametrize("content", [b"12", b"12\n", b" 12\r\n"])
def test_a_file_gives_a_label_to_the_version_whose_number_it_holds(tmp_path, put, content):
    put("production", content)
    assert read_label_files(tmp_path) == ({"production": 12}, {})


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"one", b"1 2", b"-1", b"0", b"1.0", b"\xff\xfe1\0", b"9" * 19, b"1" + b" " * 64, b"x" * 10**6],
)
def test_a_file_that_holds_anything_else_is_told_of_and_not_what_it_holds(tmp_path, put, content):
    put("production", content)
    versions, troubles = read_label_files(tmp_path)
    assert versions == {}
    assert f"{'more than 64' if len(content) > 64 else len(content)} bytes came" in troubles["production"]


@given(st.binary(max_size=100))
def test_no_content_raises(tmp_path_factory, content):
    model = tmp_path_factory.mktemp("shades")
    (model / "labels").mkdir()
    (model / "labels" / "production").write_bytes(content)
    versions, troubles = read_label_files(model)
    assert {*versions, *troubles} == {"production"}


@pytest.mark.parametrize(("name", "shown"), [("a b", "a b"), ("~", "~"), ("\udcff", "\\udcff"), ("x" * 65, "x" * 65)])
def test_a_name_that_no_label_has_is_told_of_in_letters_that_everything_prints(tmp_path, put, name, shown):
    put(name, b"1")
    versions, troubles = read_label_files(tmp_path)
    assert (versions, list(troubles)) == ({}, [shown])


def test_names_that_begin_with_a_dot_are_not_looked_at(tmp_path, put):
    put(".production-part", b"1")
    assert read_label_files(tmp_path) == ({}, {})


def test_what_is_no_file_is_not_waited_for(tmp_path, put):
    os.mkfifo(tmp_path / "labels" / "pipe")
    (tmp_path / "labels" / "directory").mkdir()
    (tmp_path / "labels" / "nowhere").symlink_to("gone")
    versions, troubles = read_label_files(tmp_path)
    assert (versions, sorted(troubles)) == ({}, ["directory", "nowhere", "pipe"])


def test_a_model_without_such_files_has_no_such_labels(tmp_path):
    assert read_label_files(tmp_path) == ({}, {})
    (tmp_path / "labels").write_text("what the classes are called")
    assert read_label_files(tmp_path) == ({}, {})


def test_of_too_many_files_the_first_are_followed_and_the_others_told_of_at_once(tmp_path, put):
    for number in range(MAX_FILES + 5):
        put(f"label-{number:03}", b"1")
    versions, troubles = read_label_files(tmp_path)
    assert (len(versions), list(troubles)) == (MAX_FILES, [f"label-{MAX_FILES}"])
    assert "this one and 4 after it" in troubles[f"label-{MAX_FILES}"]


def test_a_label_whose_file_cannot_be_followed_stays_where_it_was():
    files = LabelFiles({"production": 3, "canary": 2}, {"old": "no number"})
    before = {"production": 1, "canary": 1, "old": 1, "removed": 1}
    versions, troubles = followed(files, {1, 2}, before)
    assert versions == {"production": 1, "canary": 2, "old": 1}
    assert list(troubles) == ["production", "old"]


def test_a_label_that_was_nowhere_is_nowhere_until_its_version_is_there():
    files = LabelFiles({"production": 3})
    assert followed(files, {1}, {}).versions == {}
    assert followed(files, {1, 3}, {}) == ({"production": 3}, {})
