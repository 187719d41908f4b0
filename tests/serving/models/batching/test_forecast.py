"""How long batches are expected to take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.models.batching.forecast import Forecast

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
        ((0.3, 0.35, 0.4, 0.6), (1, 2, 3, 4, 5, 6, 7, 8)),  # two batches would be done later than one
        ((0.003, 0.0055, 0.01, 0.018), (1, 2, 3, 4, 5, 6, 7, 8)),  # which nobody would notice
    ],
)
def test_rows_are_split_where_that_costs_hardly_any_time_and_else_padded(seconds, runs):
    forecast = Forecast(SIZES)
    forecast.expect(dict(zip(SIZES, seconds, strict=True)))
    assert tuple(forecast.rows_to_run(waiting) for waiting in range(1, 9)) == runs
    assert forecast.rows_to_run(100) == forecast.largest


@given(st.lists(st.floats(0.001, 1), min_size=4, max_size=4), st.integers(1, 40))
def test_rows_take_what_the_batches_take_that_they_are_run_in(seconds, rows):
    forecast = Forecast(SIZES)
    forecast.expect(dict(zip(SIZES, seconds, strict=True)))
    expected, left = 0.0, rows
    while left:
        run = forecast.rows_to_run(left)
        expected += forecast.of_batch(forecast.padded(run))
        left -= run
    assert forecast.of_rows(rows) == pytest.approx(expected)


def test_before_anything_is_known_all_that_wait_run_together():
    assert [Forecast(SIZES).rows_to_run(waiting) for waiting in (1, 3, 5, 9)] == [1, 3, 5, 8]


def learned(forecast: Forecast, size: int, seconds: float) -> None:
    for _ in range(50):
        forecast.learn(size, seconds)


def test_batches_of_an_engine_that_was_slow_when_it_was_first_met_grow_as_long_as_that_is_no_wait():
    forecast = Forecast(SIZES)
    forecast.expect({1: 0.02, 2: 0.04, 4: 0.08, 8: 0.16})
    assert forecast.largest == 1
    learned(forecast, 1, 0.003)
    assert forecast.largest == 4


def runs_of(forecast: Forecast, seconds: tuple[float, ...], batches: int) -> list[int]:
    """The sizes of batches that an engine runs, always asked about more rows than fit, which takes so long for each of
    SIZES.
    """
    sizes = []
    for _ in range(batches):
        sizes.append(forecast.padded(forecast.rows_to_run(100)))
        forecast.learn(sizes[-1], seconds[SIZES.index(sizes[-1])])
    return sizes


def test_batches_grow_where_each_turns_out_to_cost_something_beside_its_rows():
    forecast = Forecast(SIZES)
    forecast.expect({1: 1.0, 2: 2.0, 4: 4.0, 8: 8.0})
    sizes = runs_of(forecast, (1.5, 2.5, 4.5, 8.5), 50)
    assert sizes[0] == 1
    assert sizes[-1] >= 4


def test_a_size_that_was_not_met_before_there_were_calls_is_none():
    forecast = Forecast(SIZES)
    forecast.expect({1: 1.0, 2: 1.1})
    assert forecast.largest == 2
    learned(forecast, 2, 0.001)
    assert forecast.largest == 2


@pytest.mark.parametrize("slow", SIZES)
def test_a_batch_that_was_slow_once_keeps_no_size_out_for_good(slow):
    usual = {1: 0.03, 2: 0.055, 4: 0.1, 8: 0.16}
    forecast = Forecast(SIZES)
    forecast.expect(usual)
    before = [(forecast.rows_to_run(waiting), forecast.of_rows(waiting)) for waiting in range(1, 9)]
    forecast.learn(slow, 2.0)
    for _ in range(500):
        size = forecast.padded(forecast.rows_to_run(8))
        forecast.learn(size, usual[size])
    after = [(forecast.rows_to_run(waiting), forecast.of_rows(waiting)) for waiting in range(1, 9)]
    assert [run for run, _ in after] == [run for run, _ in before]
    assert [seconds for _, seconds in after] == pytest.approx([seconds for _, seconds in before], rel=0.01)
