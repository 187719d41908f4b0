"""Interactive and bulk calls at one queue: the first hardly wait for the second, and neither starves."""

import pytest

from protos.classification_pb2 import PRIORITY_BULK
from serving.errors import Overloaded
from tests.serving.loops import on_a_loop
from tests.serving.models.batching.queues import Bench

BULK = {"priority": PRIORITY_BULK}


@on_a_loop
async def test_an_interactive_call_waits_for_the_bulk_batch_that_runs_and_for_no_other():
    bench = Bench(allowed_batch_sizes=(1, 2, 4))
    await bench.submit(*range(1, 21), **BULK)
    call = await bench.submit(30)
    bench.clock.advance(4)
    await bench.finish()
    assert bench.computed()[-1] == [30]
    await bench.finish()
    assert call.done()
    await bench.finish_all()


@on_a_loop
async def test_batches_are_of_one_priority():
    bench = Bench()
    await bench.submit(1)
    await bench.submit(2, **BULK)
    await bench.submit(3)
    await bench.submit(4, **BULK)
    await bench.finish_all()
    assert bench.computed() == [[1], [3], [2, 4]]


@on_a_loop
async def test_bulk_batches_are_short_while_interactive_calls_come_and_as_long_as_pays_a_second_after():
    bench = Bench()
    bench.queue.expect({1: 0.01, 2: 0.015, 4: 0.024, 8: 0.04})
    await bench.submit(1)
    await bench.submit(*range(101, 117), **BULK)
    await bench.finish()
    assert bench.computed()[-1] == [101, 102]
    bench.clock.advance(1)
    await bench.finish()
    assert bench.computed()[-1] == list(range(103, 111))
    await bench.finish_all()


@on_a_loop
async def test_while_both_wait_bulk_gets_a_fifth_of_the_time():
    bench = Bench(allowed_batch_sizes=(1,), max_queue_rows=1000)
    for number in range(1, 101):
        await bench.submit(number)
        await bench.submit(1000 + number, **BULK)
    for _ in range(100):
        bench.clock.advance(1)
        await bench.finish()
    bulk = sum(number > 1000 for (number,) in bench.computed()[:100])
    assert bulk == 20
    await bench.finish_all()


@on_a_loop
async def test_bulk_calls_that_come_late_are_owed_nothing_for_the_time_before():
    bench = Bench(allowed_batch_sizes=(1,))
    for number in range(1, 11):
        await bench.submit(number)
    for _ in range(8):
        bench.clock.advance(1)
        await bench.finish()
    for number in range(101, 111):
        await bench.submit(number, **BULK)
    for number in range(11, 21):
        await bench.submit(number)
    for _ in range(8):
        bench.clock.advance(1)
        await bench.finish()
    assert sum(number > 100 for (number,) in bench.computed()) <= 2
    await bench.finish_all()


@on_a_loop
async def test_bulk_calls_that_fill_their_room_leave_that_of_the_others():
    bench = Bench(max_queue_rows=8)
    await bench.submit(*range(1, 9), **BULK)
    await bench.submit(*range(9, 17), **BULK)
    with pytest.raises(Overloaded):
        await bench.submit(17, **BULK)
    await bench.submit(*range(21, 29))
    await bench.finish_all()


@on_a_loop
async def test_what_waits_at_one_priority_delays_the_other_by_its_share():
    bench = Bench(allowed_batch_sizes=(1,))
    await bench.submit(1)
    bench.clock.advance(1)
    await bench.finish()
    for number in range(2, 12):
        await bench.submit(number, **BULK)  # the first runs
    await bench.submit(20, deadline=bench.clock() + 2.25)
    with pytest.raises(Overloaded):  # two seconds of work are two and a half, behind one of bulk
        await bench.submit(21, deadline=bench.clock() + 3.4)
    await bench.submit(21, deadline=bench.clock() + 3.5)
    await bench.finish_all()


@on_a_loop
async def test_a_cancelled_bulk_call_leaves_the_queue():
    bench = Bench()
    await bench.submit(1)
    call = await bench.submit(2, 3, **BULK)
    call.cancel()
    await bench.settle()
    assert bench.queue.queued_rows == 0
    assert bench.observer.dropped == 2
    await bench.finish_all()
