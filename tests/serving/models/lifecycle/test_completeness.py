"""Versions that are still being copied, and when they are whole."""

import os

import pytest

from serving.models import card as cards
from serving.models.lifecycle.completeness import Completeness, look
from tests.serving.fakes import FakeClock
from tests.serving.models.stores.shops import CARD, version_of

SETTLE = 10.0
FILES = version_of()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def completeness(clock):
    return Completeness(SETTLE, clock, lambda: 0.0)  # to which files are as new as can be


@pytest.fixture
def version(tmp_path):
    """An empty directory."""
    directory = tmp_path / "shades" / "1"
    directory.mkdir(parents=True)
    return directory


def put(directory, **files):
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def test_with_a_card_a_version_is_whole_once_every_file_has_its_size(completeness, version):
    put(version, **{CARD: FILES[CARD]})
    assert completeness.lacks(version) == "saved_model.pb is not there yet"
    put(version, **{"saved_model.pb": b"gra"})
    assert completeness.lacks(version) == "saved_model.pb has 3 of 5 bytes yet"
    put(version, **{"saved_model.pb": b"graph"})
    assert completeness.lacks(version) == "variables.data is not there yet"
    put(version, **FILES)
    assert completeness.lacks(version) == ""


def test_without_a_card_a_version_is_whole_once_its_files_have_settled(completeness, version, clock):
    put(version, **{"saved_model.pb": b"graph"})
    assert "change still" in completeness.lacks(version)
    clock.advance(SETTLE - 1)
    put(version, **{"assets/words": b"w"})
    assert "change still" in completeness.lacks(version)
    clock.advance(SETTLE - 1)
    assert "change still" in completeness.lacks(version)
    clock.advance(1)
    assert completeness.lacks(version) == ""


def test_a_directory_without_a_graph_never_settles(completeness, version, clock):
    put(version, **{"variables/variables.index": b"w"})
    completeness.lacks(version)
    clock.advance(SETTLE)
    assert completeness.lacks(version) == "saved_model.pb is not there yet"


def test_a_card_that_is_half_written_is_waited_for_and_then_refused_by_whoever_reads_it(completeness, version, clock):
    put(version, **{**FILES, CARD: FILES[CARD][:20]})
    assert "change still" in completeness.lacks(version)
    clock.advance(SETTLE)
    assert completeness.lacks(version) == ""


def test_what_has_not_changed_for_long_when_it_is_first_seen_has_settled(version, clock):
    put(version, **{"saved_model.pb": b"graph"})
    os.utime(version / "saved_model.pb", (0, 0))  # as copying with times does, which proves nothing
    written = (version / "saved_model.pb").stat().st_ctime
    assert Completeness(SETTLE, clock, lambda: written + SETTLE - 1).lacks(version) != ""
    assert Completeness(SETTLE, clock, lambda: written + SETTLE + 1).lacks(version) == ""


def test_without_a_card_every_file_of_the_variables_is_waited_for(completeness, version, clock):
    put(version, **{"saved_model.pb": b"graph", "variables/variables.data-00001-of-00002": b"w"})
    assert completeness.lacks(version) == "variables.data-00000-of-00002 is not there yet"
    put(version, **{"variables/variables.data-00000-of-00002": b"w"})
    assert completeness.lacks(version) == "variables.index is not there yet"
    put(version, **{"variables/variables.index": b"w"})
    assert "change still" in completeness.lacks(version)


def test_only_of_versions_without_a_card_is_asked_before_loading_at_the_start(completeness, version):
    put(version, **{CARD: FILES[CARD]})
    assert completeness.lacks_without_card(version) == ""


def test_a_look_changes_with_any_file_and_with_nothing_else(version):
    put(version, **FILES)
    first = look(version)
    assert look(version) == first
    (version / cards.CARD_PATH).touch()
    second = look(version)
    (version / "more").touch()
    assert len({first, second, look(version)}) == 3
