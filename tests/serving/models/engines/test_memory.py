"""What is kept of a measurement: only what holds here, and never at the price of not starting."""

import logging

import pytest

from serving.models.engines.memory import NAME, FileMemory, processor

HERE = {"processor": processor(), "threads": 2, "batch_sizes": [1, 64]}


def version_of(model, number):
    directory = model / str(number)
    (directory / NAME.parent).mkdir(parents=True)
    return directory


@pytest.fixture
def version(tmp_path):
    return version_of(tmp_path / "model", 1)


def test_nothing_is_known_before_a_measurement(version):
    assert FileMemory(version, HERE).recall() is None


def test_what_was_kept_is_recalled_by_another_server(version):
    FileMemory(version, HERE).keep("openvino", {"openvino": {1: 0.1}, "tensorflow": {1: 0.2}})
    assert FileMemory(version, HERE).recall() == "openvino"


def test_a_new_version_of_the_same_network_is_not_measured(version):
    FileMemory(version, HERE).keep("openvino", {})
    assert FileMemory(version_of(version.parent, 2), HERE).recall() == "openvino"


def test_a_new_version_of_another_network_is(version):
    FileMemory(version, HERE).keep("openvino", {})
    assert FileMemory(version_of(version.parent, 2), HERE | {"network": "wider"}).recall() is None


def test_what_a_version_says_itself_comes_before_what_others_say(version):
    newer = version_of(version.parent, 2)
    FileMemory(version, HERE).keep("openvino", {})
    FileMemory(newer, HERE).keep("tensorflow", {})
    assert FileMemory(newer, HERE).recall() == "tensorflow"


@pytest.mark.parametrize("changed", [{"processor": "another"}, {"threads": 1}, {"batch_sizes": [1, 8]}])
def test_what_was_measured_elsewhere_does_not_hold_here(version, changed):
    FileMemory(version, HERE | changed).keep("openvino", {})
    assert FileMemory(version, HERE).recall() is None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"fastest": 1'])
def test_a_file_that_says_nothing_is_measured_anew_and_overwritten(version, content):
    (version / NAME).write_text(content)
    memory = FileMemory(version, HERE)
    assert memory.recall() is None
    memory.keep("openvino", {})
    assert memory.recall() == "openvino"


def test_a_directory_that_cannot_be_written_to_is_no_error(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        FileMemory(tmp_path / "missing", HERE).keep("openvino", {})  # read-only, but to root
    assert "it is measured at each start" in caplog.text


def test_a_measurement_leaves_one_file(version):
    for _ in range(2):
        FileMemory(version, HERE).keep("openvino", {})
    assert [path.name for path in (version / NAME.parent).iterdir()] == [NAME.name]
