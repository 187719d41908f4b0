"""The batch queue: who runs together, in what order, padded how, and what happens where there is no room."""

import asyncio
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import Overloaded
from serving.models.batching.batch_queue import GATHERING_SECONDS
from tests.serving.loops import on_a_loop
from tests.serving.models.batching.queues import Bench, numbers_in, numbers_scored, rows_of


@on_a_loop
async def test_a_call_that_finds_the_engine_idle_starts_at_once():
    bench = Bench()
    await bench.submit(1)
    assert bench.computed() == [[1]]
    assert bench.queue.queued_rows == 0


@on_a_loop
async def test_a_call_gets_its_own_scores_and_the_time_its_batch_started():
    bench = Bench()
    call = await bench.submit(7, 9)
    bench.clock.advance(5)
    await bench.finish()
    assert numbers_scored(call) == [7, 9]
    assert call.result().started == 0


@on_a_loop
async def test_rows_that_wait_are_run_together_once_the_engine_is_free():
    bench = Bench()
    for number in (1, 2, 3, 4):
        await bench.submit(number)
    assert bench.computed() == [[1]]
    assert bench.queue.queued_rows == 3
    await bench.finish()
    assert bench.computed() == [[1], [2, 3, 4]]


@on_a_loop
async def test_calls_that_arrive_together_are_run_together():
    bench = Bench()
    bench.queue.submit(rows_of(1), np.inf)
    bench.queue.submit(rows_of(2), np.inf)
    await bench.settle()
    assert bench.computed() == [[1, 2]]


@on_a_loop
async def test_calls_that_arrive_turn_after_turn_are_run_together():
    bench = Bench()
    for number in (1, 2, 3):
        bench.queue.submit(rows_of(number), np.inf)
        await asyncio.sleep(0)
    assert bench.computed() == []
    await bench.settle()
    assert bench.computed() == [[1, 2, 3]]


@on_a_loop
async def test_an_engine_is_not_left_idle_once_a_batch_is_full():
    bench = Bench(allowed_batch_sizes=(1, 2))
    for number in (1, 2, 3):
        bench.queue.submit(rows_of(number), np.inf)
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert bench.computed() == [[1, 2]]
    await bench.finish_all()


@on_a_loop
async def test_an_engine_is_not_left_idle_for_long_while_rows_keep_coming():
    bench = Bench(allowed_batch_sizes=(100,))
    for number in range(1, 20):
        bench.queue.submit(rows_of(number), np.inf)
        await asyncio.sleep(0)
        bench.clock.advance(GATHERING_SECONDS / 4)
    assert bench.computed() == [[1, 2, 3, 4, 5]]
    await bench.finish_all()


@on_a_loop
async def test_calls_are_taken_in_order_of_arrival():
    bench = Bench(allowed_batch_sizes=(1, 2))
    for number in range(1, 7):
        await bench.submit(number)
    await bench.finish_all()
    assert bench.computed() == [[1], [2, 3], [4, 5], [6]]


@on_a_loop
async def test_a_batch_is_filled_with_part_of_a_call_rather_than_left_with_room():
    bench = Bench(allowed_batch_sizes=(1, 2, 4))
    await bench.submit(1)
    first, second = await bench.submit(2, 3, 4), await bench.submit(5, 6, 7)
    await bench.finish_all()
    assert bench.computed() == [[1], [2, 3, 4, 5], [6, 7]]
    assert numbers_scored(first) == [2, 3, 4]
    assert numbers_scored(second) == [5, 6, 7]


@on_a_loop
async def test_a_call_larger_than_a_batch_is_split_and_put_together_again():
    bench = Bench(allowed_batch_sizes=(1, 2, 4))
    call = await bench.submit(*range(1, 11))
    await bench.finish_all()
    assert bench.computed() == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert numbers_scored(call) == list(range(1, 11))


@on_a_loop
async def test_the_start_of_a_split_call_is_that_of_its_last_batch():
    bench = Bench(allowed_batch_sizes=(1, 2))
    call = await bench.submit(1, 2, 3)
    bench.clock.advance(5)
    await bench.finish_all()
    assert call.result().started == 5


@on_a_loop
async def test_the_earliest_deadline_is_taken_first():
    bench = Bench(allowed_batch_sizes=(1, 2))
    await bench.submit(1)
    for number, deadline in ((2, np.inf), (3, 3), (4, 2), (5, 3)):
        await bench.submit(number, deadline=deadline)
    await bench.finish_all()
    assert bench.computed() == [[1], [4, 3], [5, 2]]


@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=15),
    largest=st.integers(1, 8),
    finish_after=st.lists(st.booleans(), min_size=15, max_size=15),
)
def test_every_caller_gets_the_scores_of_its_own_rows(sizes, largest, finish_after):
    @on_a_loop
    async def check():
        bench = Bench(allowed_batch_sizes=range(1, largest + 1), max_queue_rows=10_000)
        numbers, calls = iter(range(1, 10_000)), []
        for size, finish in zip(sizes, finish_after, strict=False):
            mine = [next(numbers) for _ in range(size)]
            calls.append((mine, await bench.submit(*mine)))
            if finish and not bench.batches[-1][1].done():
                await bench.finish()
        await bench.finish_all()
        assert [numbers_scored(call) for _, call in calls] == [mine for mine, _ in calls]
        assert list(itertools.chain(*bench.computed())) == list(range(1, sum(sizes) + 1))  # each once, in order
        assert bench.queue.queued_rows == 0

    check()


@pytest.mark.parametrize(("count", "padding"), [(1, 0), (2, 0), (3, 1), (5, 3), (8, 0)])
@on_a_loop
async def test_a_batch_is_padded_with_black_rows_to_the_next_allowed_size(count, padding):
    bench = Bench(allowed_batch_sizes=(1, 2, 4, 8))
    call = await bench.submit(*range(1, count + 1))
    rows = bench.batches[0][0]
    assert numbers_in(rows) == list(range(1, count + 1)) + [0] * padding
    assert not rows[count:].any()
    assert bench.observer.batches == [(count, padding)]
    await bench.finish()
    assert numbers_scored(call) == list(range(1, count + 1))


@on_a_loop
async def test_rows_beyond_the_bound_are_refused_at_once():
    bench = Bench(max_queue_rows=3)
    await bench.submit(1)
    await bench.submit(2, 3)
    with pytest.raises(Overloaded, match="At most 3 rows may wait for a model; 2 wait and 2 more came"):
        await bench.submit(4, 5)
    assert bench.queue.queued_rows == 2


@on_a_loop
async def test_a_queue_that_refused_a_call_takes_the_next_that_fits():
    bench = Bench(max_queue_rows=2)
    await bench.submit(1)
    waiting = await bench.submit(2, 3)
    with pytest.raises(Overloaded):
        await bench.submit(4)
    await bench.finish()
    late = await bench.submit(5)
    await bench.finish_all()
    assert numbers_scored(waiting) == [2, 3]
    assert numbers_scored(late) == [5]


@on_a_loop
async def test_a_call_that_fits_exactly_is_taken():
    bench = Bench(max_queue_rows=3)
    await bench.submit(1)
    await bench.submit(2, 3, 4)
    assert bench.queue.queued_rows == 3


@on_a_loop
async def test_an_engine_with_room_for_two_batches_runs_two_and_either_may_end_first():
    bench = Bench(allowed_batch_sizes=(1,), max_batches_in_flight=2)
    first, second = await bench.submit(1, 2), await bench.submit(3)
    assert bench.computed() == [[1], [2]]
    await bench.finish(1)
    assert bench.computed() == [[1], [2], [3]]
    await bench.finish_all()
    assert numbers_scored(first) == [1, 2]
    assert numbers_scored(second) == [3]


@on_a_loop
async def test_drained_waits_for_the_batch_that_runs():
    bench = Bench()
    await bench.submit(1)
    draining = asyncio.create_task(bench.queue.drained())
    await bench.settle()
    assert not draining.done()
    await bench.finish()
    assert draining.done()
