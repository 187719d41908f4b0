"""Who is let in, and how often."""

import json

import pytest

from serving.doors.locks.doorkeeper import Doorkeeper
from serving.errors import LockRejected, Overloaded, Unauthenticated
from tests.serving.fakes import FakeClock

TOKEN = "the-token-of-the-reader"


def written(path, **entry):
    path.write_text(json.dumps([{"name": "reader", "token": TOKEN, **entry}]))
    return path


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens.yaml"


@pytest.mark.parametrize("shown", [f"Bearer {TOKEN}", f"bearer {TOKEN}"])
def test_who_shows_a_token_is_known(path, clock, shown):
    assert Doorkeeper.of_file(written(path), clock).admit(shown).name == "reader"


@pytest.mark.parametrize("shown", [None, "", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", "Bearer of-another-server"])
def test_who_shows_no_token_that_is_known_is_refused_without_a_word_of_it(path, clock, shown):
    with pytest.raises(Unauthenticated) as refused:
        Doorkeeper.of_file(written(path), clock).admit(shown)
    assert "of-another-server" not in str(refused.value)


def test_who_asks_too_often_is_told_when_to_come_again(path, clock):
    doorkeeper = Doorkeeper.of_file(written(path, requests_per_second=2), clock)
    for _ in range(2):
        doorkeeper.admit(f"Bearer {TOKEN}")
    with pytest.raises(Overloaded, match="2 times a second") as refused:
        doorkeeper.admit(f"Bearer {TOKEN}")
    clock.advance(refused.value.retry_after)
    assert doorkeeper.admit(f"Bearer {TOKEN}")


def test_a_token_that_was_taken_out_of_the_file_is_unknown(path, clock):
    doorkeeper = Doorkeeper.of_file(written(path), clock)
    written(path, token="another-token-than-before")
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        doorkeeper.admit(f"Bearer {TOKEN}")


def test_reading_the_file_again_gives_nobody_new_requests(path, clock):
    doorkeeper = Doorkeeper.of_file(written(path, requests_per_second=0.1), clock)
    doorkeeper.admit(f"Bearer {TOKEN}")
    written(path, requests_per_second=0.1, models=["a"])
    clock.advance(1)
    with pytest.raises(Overloaded):
        doorkeeper.admit(f"Bearer {TOKEN}")


def test_a_caller_who_is_in_loses_its_stream_with_its_token(path, clock):
    doorkeeper = Doorkeeper.of_file(written(path), clock)
    caller = doorkeeper.admit(f"Bearer {TOKEN}")
    assert doorkeeper.seconds_until_more(caller) == 0
    written(path, models=["a"])
    clock.advance(1)
    with pytest.raises(Unauthenticated, match="taken back"):
        doorkeeper.seconds_until_more(caller)


def test_a_file_of_one_token_lets_its_holder_in(path, clock):
    path.write_text(f"{TOKEN}\n")
    assert Doorkeeper.of_one(path, "administrator", clock).admit(f"Bearer {TOKEN}").name == "administrator"


def test_a_token_that_could_be_guessed_is_refused_and_not_repeated(path, clock):
    path.write_text("guess-me\n")
    with pytest.raises(LockRejected, match="at least 16 characters") as refused:
        Doorkeeper.of_one(path, "administrator", clock)
    assert "guess-me" not in str(refused.value)
