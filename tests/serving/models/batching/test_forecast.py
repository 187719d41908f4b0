"""How long batches are expected to take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.batching.forecast import Forecast, Lateness

SIZES = (1, 2, 4, 8)


def test_an_engine_that_ran_nothing_is_expected_to_take_no_time():
    assert Forecast(SIZES).of_rows(100) == 0


def test_rows_are_run_in_batches_as_large_as_there_are():
    forecast = Forecast(SIZES)
    for size, seconds in ((1, 0.1), (4, 0.3), (8, 0.5)):
        forecast.learn(size, seconds)
    assert forecast.of_rows(19) == pytest.approx(2 * 0.5 + 0.3)


def test_a_size_that_never_ran_takes_no_longer_than_the_next_larger_that_did():
    forecast = Forecast(SIZES)
    forecast.learn(1, 0.1)
    forecast.learn(8, 0.5)
    assert forecast.of_batch(2) == 0.5


def test_a_size_larger_than_any_that_ran_takes_longer_in_proportion():
    forecast = Forecast(SIZES)
    forecast.learn(2, 0.1)
    assert forecast.of_batch(8) == pytest.approx(0.4)


@given(st.lists(st.floats(0.01, 1), min_size=1), st.integers(0, 100))
def test_what_is_expected_lies_between_the_fastest_and_the_slowest_that_was_seen(seconds, rows):
    forecast = Forecast((1,))
    for each in seconds:
        forecast.learn(1, each)
    assert rows * min(seconds) * 0.999 <= forecast.of_rows(rows) <= rows * max(seconds) * 1.001


@pytest.mark.parametrize(
    ("seconds", "largest"),
    [
        ((1.0, 2.0, 4.0, 8.0), 1),  # rows are as cheap alone
        ((1.0, 1.2, 2.0, 3.9), 4),  # nearly as cheap by fours as by eights
        ((1.0, 1.2, 1.5, 2.0), 8),
        ((1.0, 1.2, 1.5, 9.0), 4),
        ((0.01, 0.02, 0.04, 0.08), 2),  # that is no wait
        ((0.0, 0.0, 0.0, 0.0), 8),
    ],
)
def test_sizes_that_make_rows_no_cheaper_are_left_out(seconds, largest):
    forecast = Forecast(SIZES)
    forecast.expect(dict(zip(SIZES, seconds, strict=True)))
    assert forecast.largest == forecast.padded(largest) == largest
    assert forecast.of_rows(2 * largest) == 2 * seconds[SIZES.index(largest)]


@pytest.mark.parametrize(
    ("seconds", "runs"),
    [
        ((1.0, 2.0, 4.0, 8.0), (1, 1, 1, 1, 1, 1, 1, 1)),  # alone, rows are as cheap as together
        ((1.0, 1.8, 3.2, 5.8), (1, 2, 2, 4, 4, 4, 4, 8)),  # padding costs what rows do
        ((1.0, 1.1, 1.2, 1.3), (1, 2, 3, 4, 5, 6, 7, 8)),  # padding costs next to nothing
        ((1.0, 1.5, 2.5, 4.0), (1, 2, 2, 4, 4, 4, 7, 8)),
    ],
)
def test_a_batch_is_padded_where_that_makes_more_rows_a_second_than_a_smaller_one(seconds, runs):
    forecast = Forecast(SIZES)
    forecast.expect(dict(zip(SIZES, seconds, strict=True)))
    assert tuple(forecast.rows_to_run(waiting) for waiting in range(1, 9)) == runs
    assert forecast.rows_to_run(100) == forecast.largest


def test_before_anything_is_known_all_that_wait_run_together():
    assert [Forecast(SIZES).rows_to_run(waiting) for waiting in (1, 3, 5, 9)] == [1, 3, 5, 8]


def learned(forecast: Forecast, size: int, seconds: float) -> None:
    for _ in range(50):
        forecast.learn(size, seconds)


def test_batches_grow_where_each_turns_out_to_cost_something_beside_its_rows():
    forecast = Forecast(SIZES)
    forecast.expect({1: 1.0, 2: 2.0, 4: 4.0, 8: 8.0})
    learned(forecast, 1, 1.5)
    assert forecast.largest == 2
    learned(forecast, 2, 2.1)
    assert forecast.largest == 2


def test_batches_of_an_engine_that_was_slow_when_it_was_first_met_grow_as_long_as_that_is_no_wait():
    forecast = Forecast(SIZES)
    forecast.expect({1: 0.02, 2: 0.04, 4: 0.08, 8: 0.16})
    assert forecast.largest == 1
    learned(forecast, 1, 0.003)
    assert forecast.largest == 4


def test_a_size_that_was_not_met_before_there_were_calls_is_none():
    forecast = Forecast(SIZES)
    forecast.expect({1: 1.0, 2: 1.1})
    assert forecast.largest == 2
    learned(forecast, 2, 0.001)
    assert forecast.largest == 2


def test_promises_that_are_kept_to_the_second_need_no_margin():
    lateness = Lateness()
    for _ in range(10):
        lateness.learn(0.0)
    assert lateness.margin == 0


def test_calls_that_come_early_or_late_by_turns_need_a_margin_that_covers_both():
    lateness = Lateness()
    for late in 50 * [0.1, -0.1]:
        lateness.learn(late)
    assert 0.1 < lateness.margin < 0.5


def test_a_call_that_was_very_late_is_forgotten_in_time():
    lateness = Lateness()
    lateness.learn(10.0)
    for _ in range(100):
        lateness.learn(0.0)
    assert lateness.margin < 0.01
