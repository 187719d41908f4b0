"""The batch queue at its door: a call that could not be answered in time is refused, and told when to come again."""

import asyncio

import numpy as np
import pytest

from protos.classification_pb2 import PRIORITY_INTERACTIVE
from serving.errors import EngineFailed, Overloaded
from serving.models.batching.waiting import PATIENCE
from tests.serving.loops import on_a_loop
from tests.serving.models.batching.queues import Bench, rows_of


async def taught(seconds: float, **options) -> Bench:
    """A queue whose engine took `seconds` for one row, and is free."""
    bench = Bench(allowed_batch_sizes=(1,), **options)
    await bench.submit(1)
    bench.clock.advance(seconds)
    await bench.finish()
    return bench


@on_a_loop
async def test_a_call_that_would_be_late_is_refused_and_told_when_to_come_again():
    bench = await taught(2)
    await bench.submit(2)  # runs until 2 s from now,
    await bench.submit(3, deadline=bench.clock() + 5)  # and this until 4 s
    with pytest.raises(Overloaded, match=r"in 5 s; by what waits for the model it is expected in 6 s") as refused:
        await bench.submit(4, deadline=bench.clock() + 5)
    assert refused.value.retry_after == pytest.approx(1)
    assert bench.queue.queued_rows == 1
    await bench.finish_all()


@on_a_loop
async def test_a_call_that_will_be_in_time_is_taken():
    bench = await taught(2)
    await bench.submit(2)
    call = await bench.submit(3, deadline=bench.clock() + 4)
    bench.clock.advance(2)
    await bench.finish()
    bench.clock.advance(1.9)
    await bench.finish()
    assert call.result()
    await bench.finish_all()


@on_a_loop
async def test_time_that_a_batch_has_run_already_counts():
    bench = await taught(2)
    await bench.submit(2)
    bench.clock.advance(1.5)
    await bench.submit(3, deadline=bench.clock() + 2.5)
    with pytest.raises(Overloaded):
        await bench.submit(4, deadline=bench.clock() + 2.4)
    await bench.finish_all()


@on_a_loop
async def test_only_calls_that_come_before_it_delay_a_call():
    bench = await taught(2)
    await bench.submit(2)
    for number in (3, 4, 5):
        await bench.submit(number)  # without a deadline
    urgent = await bench.submit(6, deadline=bench.clock() + 4)
    await bench.finish()
    await bench.finish()
    assert urgent.done()
    await bench.finish_all()


@on_a_loop
async def test_a_call_without_a_deadline_is_taken_however_long_the_queue():
    bench = await taught(1000)
    for number in range(2, 10):
        await bench.submit(number)
    assert bench.queue.queued_rows == 7
    await bench.finish_all()


@on_a_loop
async def test_a_call_that_finds_the_engine_free_is_taken_however_slow_it_was():
    """Else one slow batch would have every call refused from then on."""
    bench = await taught(1000)
    call = await bench.submit(2, deadline=bench.clock() + 1)
    await bench.finish()
    assert call.result()
    await bench.finish_all()


@on_a_loop
async def test_a_slow_batch_is_forgotten_in_time():
    bench = await taught(1000)
    for _ in range(60):
        await bench.submit(2)
        bench.clock.advance(0.01)
        await bench.finish()
    await bench.submit(2)
    await bench.submit(3, deadline=bench.clock() + 1)
    await bench.finish_all()


@on_a_loop
async def test_of_two_batches_at_a_time_the_one_that_ends_first_is_waited_for():
    bench = await taught(2, max_batches_in_flight=2)
    await bench.submit(2)
    bench.clock.advance(1)
    await bench.submit(3)  # both places are taken, one for 1 s more
    await bench.submit(4, deadline=bench.clock() + 3)
    with pytest.raises(Overloaded):
        await bench.submit(5, deadline=bench.clock() + 2.9)
    await bench.finish_all()


@on_a_loop
async def test_a_batch_that_was_taken_and_has_not_begun_counts_as_running():
    bench = await taught(2)
    for number in (2, 3):
        bench.queue.submit(rows_of(number), np.inf)
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        bench.queue.submit(rows_of(4), bench.clock() + 3)
    bench.queue.submit(rows_of(5), bench.clock() + 4)
    await bench.settle()
    await bench.finish_all()


@on_a_loop
async def test_calls_of_later_deadlines_that_fill_the_batch_are_waited_for():
    bench = Bench(allowed_batch_sizes=(1, 8))
    for numbers, seconds in (((1,), 0.01), (range(2, 10), 8)):
        await bench.submit(*numbers)
        bench.clock.advance(seconds)
        await bench.finish()
    await bench.submit(10)
    await bench.submit(*range(11, 20))
    with pytest.raises(Overloaded):
        await bench.submit(20, deadline=bench.clock() + 7)
    await bench.submit(21, deadline=bench.clock() + 9)
    await bench.finish_all()


@on_a_loop
async def test_what_waits_of_a_call_that_failed_leaves_the_queue_at_once():
    bench = Bench(allowed_batch_sizes=(1, 2))
    failing = await bench.submit(1, 2, 3, 4, 5)
    await bench.submit(6, deadline=bench.clock() + 100)
    await bench.fail(RuntimeError("broken"))
    assert isinstance(failing.exception(), EngineFailed)
    assert bench.queue.queued_rows == 0
    await bench.finish_all()


@on_a_loop
async def test_a_full_queue_says_when_it_will_have_room():
    bench = await taught(2, max_queue_rows=3)
    await bench.submit(2)
    await bench.submit(3, 4)
    bench.clock.advance(0.5)
    for rows, wait in (((5, 6), 1.5), ((5, 6, 7), 3.5)):  # until the batch that runs is done, and one more
        with pytest.raises(Overloaded, match="At most 3 rows may wait") as refused:
            await bench.submit(*rows)
        assert refused.value.retry_after == wait
    await bench.finish_all()


@on_a_loop
async def test_a_full_queue_whose_engine_never_ran_does_not_say_when():
    bench = Bench(max_queue_rows=1)
    await bench.submit(1)
    await bench.submit(2)
    with pytest.raises(Overloaded) as refused:
        await bench.submit(3)
    assert refused.value.retry_after is None
    await bench.finish_all()


@on_a_loop
async def test_a_call_that_could_never_be_in_time_is_not_told_to_come_again():
    bench = await taught(2)
    await bench.submit(2)
    with pytest.raises(Overloaded, match=r"its 3 rows alone take 6 s. Allow more time") as refused:
        await bench.submit(3, 4, 5, deadline=bench.clock() + 5)
    assert refused.value.retry_after is None
    await bench.finish_all()


@on_a_loop
async def test_a_call_that_would_make_one_late_that_was_taken_before_is_refused():
    bench = await taught(2)
    await bench.submit(2)
    promised = await bench.submit(3, deadline=bench.clock() + 5)
    with pytest.raises(Overloaded, match="promised before"):
        await bench.submit(4, deadline=bench.clock() + 4.5)
    for _ in range(2):
        bench.clock.advance(2)
        await bench.finish()
    assert promised.result()


@on_a_loop
async def test_a_call_may_overtake_others_who_have_time():
    bench = await taught(2)
    await bench.submit(2)
    patient = await bench.submit(3, deadline=bench.clock() + 6)
    urgent = await bench.submit(4, deadline=bench.clock() + 4)
    for _ in range(3):
        bench.clock.advance(2)
        await bench.finish()
    assert patient.result().started > urgent.result().started


@on_a_loop
async def test_a_call_that_is_late_anyway_keeps_nobody_out():
    bench = await taught(2)
    await bench.submit(2)
    await bench.submit(3, 4, deadline=bench.clock() + 7)
    bench.clock.advance(3.5)  # the batch that runs should be done and is not
    await bench.submit(5, deadline=bench.clock() + 3)
    await bench.finish_all()


@on_a_loop
async def test_a_call_without_a_deadline_is_overtaken_for_a_while_only():
    bench = await taught(0.1)
    await bench.submit(2)
    patient = await bench.submit(3)
    bench.clock.advance(PATIENCE)
    urgent = await bench.submit(4, deadline=bench.clock() + 1)
    await bench.finish()
    await bench.finish()
    assert patient.done()
    assert not urgent.done()
    await bench.finish_all()


@on_a_loop
async def test_a_call_that_comes_back_has_the_place_of_its_first_arrival():
    bench = await taught(0.1)
    await bench.submit(2)
    arrived = bench.clock()
    bench.clock.advance(1)
    await bench.submit(3)
    await bench.submit(4, arrived=arrived)
    await bench.finish_all()
    assert bench.computed()[-2:] == [[4], [3]]


@pytest.mark.parametrize(
    ("rows", "seconds", "has"), [(1, 6, True), (1, 5.9, False), (3, np.inf, True), (4, np.inf, False)]
)
@on_a_loop
async def test_there_is_time_for_what_would_be_in_time_and_leave_half_of_the_room(rows, seconds, has):
    bench = await taught(2, max_queue_rows=8)
    await bench.submit(2)
    await bench.submit(3)
    bench.clock.advance(2)
    await bench.finish()
    await bench.submit(4)
    assert bench.queue.has_time_for(rows, bench.clock() + seconds, PRIORITY_INTERACTIVE) == has
    await bench.finish_all()


@on_a_loop
async def test_there_is_always_time_while_the_engine_is_free():
    bench = await taught(2, max_queue_rows=1)
    assert bench.queue.has_time_for(1, bench.clock() + 1, PRIORITY_INTERACTIVE)


@on_a_loop
async def test_after_calls_were_late_promises_leave_a_margin():
    bench = await taught(1)
    late = await bench.submit(2, deadline=bench.clock() + 10)
    bench.clock.advance(3)  # instead of 1
    await bench.finish()
    assert late.result()
    await bench.submit(3)
    taken_before = bench.clock() + 1.4 + 1  # a batch now is expected to take 1.4 s
    with pytest.raises(Overloaded):
        await bench.submit(4, deadline=taken_before + 1)
    await bench.finish_all()


@on_a_loop
async def test_a_call_that_would_be_late_by_now_is_not_computed_while_others_wait():
    bench = await taught(1)
    await bench.submit(2)
    late = await bench.submit(3, deadline=bench.clock() + 2.5)
    await bench.submit(4)
    bench.clock.advance(1.7)  # instead of 1, so that 0.8 s are left
    await bench.finish()
    with pytest.raises(Overloaded, match="Batches took longer"):
        late.result()
    assert bench.computed()[-1] == [4]
    assert bench.observer.dropped == 1
    await bench.finish_all()


@on_a_loop
async def test_a_call_that_would_be_late_by_now_is_tried_while_nobody_else_waits():
    bench = await taught(1)
    await bench.submit(2)
    await bench.submit(3, deadline=bench.clock() + 2.5)
    bench.clock.advance(1.7)
    await bench.finish()
    assert bench.computed()[-1] == [3]
    await bench.finish_all()
