"""The token bucket: so many a second, and after a pause as many at once."""

import pytest

from serving.doors.locks.bucket import Bucket


def taken(bucket: Bucket, now: float) -> int:
    """How many requests go through at once."""
    count = 0
    while not bucket.take(now):
        count += 1
    return count


def test_a_seconds_worth_goes_through_at_once():
    assert taken(Bucket(5, now=0), 0) == 5


def test_what_was_taken_comes_back_at_the_rate():
    bucket = Bucket(4, now=0)
    taken(bucket, 0)
    assert taken(bucket, 0.5) == 2
    assert taken(bucket, 0.5) == 0


def test_a_long_pause_saves_up_no_more_than_a_second():
    bucket = Bucket(5, now=0)
    taken(bucket, 0)
    assert taken(bucket, 1000) == 5


def test_a_rate_below_one_lets_one_through_every_so_often():
    bucket = Bucket(0.1, now=0)
    assert taken(bucket, 0) == 1
    assert bucket.take(4) == pytest.approx(6)
    assert taken(bucket, 10) == 1


def test_who_waits_as_long_as_was_said_goes_through():
    bucket = Bucket(3, now=0)
    taken(bucket, 0)
    assert bucket.take(0 + bucket.take(0) + 1e-9) == 0
