"""The batch queue where calls vanish, expire or fail: nothing is computed for nobody, and nobody else is touched."""

import numpy as np
import pytest

from serving.errors import DeadlinePassed, EngineFailed
from tests.serving.loops import on_a_loop
from tests.serving.models.batching.queues import Bench, numbers_scored, scores_of


@on_a_loop
async def test_a_call_whose_deadline_has_passed_is_never_computed():
    bench = Bench()
    await bench.submit(1)
    late, patient = await bench.submit(2, deadline=3), await bench.submit(3, deadline=4)
    bench.clock.advance(3)
    await bench.finish()
    assert bench.computed() == [[1], [3]]
    with pytest.raises(DeadlinePassed):
        late.result()
    assert bench.observer.dropped == 1
    await bench.finish()
    assert numbers_scored(patient) == [3]


@on_a_loop
async def test_a_call_that_came_with_its_deadline_behind_it_is_never_computed():
    bench = Bench()
    late = await bench.submit(1, deadline=-1)
    assert bench.computed() == []
    with pytest.raises(DeadlinePassed):
        late.result()


@on_a_loop
async def test_the_rest_of_a_split_call_is_not_computed_after_its_deadline():
    bench = Bench(allowed_batch_sizes=(1, 2))
    call = await bench.submit(1, 2, 3, 4, 5, deadline=10)
    bench.clock.advance(10)
    await bench.finish()
    assert bench.computed() == [[1, 2]]
    assert bench.queue.queued_rows == 0
    assert bench.observer.dropped == 3
    with pytest.raises(DeadlinePassed):
        call.result()


@on_a_loop
async def test_a_cancelled_call_leaves_the_queue_at_once_and_is_never_computed():
    bench = Bench()
    await bench.submit(1)
    call = await bench.submit(2, 3)
    call.cancel()
    await bench.settle()
    assert bench.queue.queued_rows == 0
    assert bench.observer.dropped == 2
    await bench.finish()
    assert bench.computed() == [[1]]


@on_a_loop
async def test_hundreds_of_callers_who_vanish_leave_nothing_behind():
    bench = Bench(max_queue_rows=1000)
    await bench.submit(1)
    calls = [await bench.submit(number, number) for number in range(2, 402)]
    stayed = await bench.submit(500)
    for call in reversed(calls):
        call.cancel()
    await bench.settle()
    assert bench.queue.queued_rows == 1
    assert bench.observer.dropped == 800
    await bench.finish_all()
    assert bench.computed() == [[1], [500]]
    assert numbers_scored(stayed) == [500]


@on_a_loop
async def test_room_that_a_cancelled_call_held_is_free_again():
    bench = Bench(max_queue_rows=2)
    await bench.submit(1)
    (await bench.submit(2, 3)).cancel()
    await bench.settle()
    await bench.submit(4, 5)
    await bench.finish()
    assert bench.computed() == [[1], [4, 5]]


@on_a_loop
async def test_a_call_cancelled_while_it_is_computed_leaves_its_batch_mates_right():
    bench = Bench()
    await bench.submit(1)
    before, leaver, after = await bench.submit(2), await bench.submit(3, 4), await bench.submit(5)
    await bench.finish()
    leaver.cancel()
    await bench.finish()
    assert bench.computed() == [[1], [2, 3, 4, 5]]
    assert numbers_scored(before) == [2]
    assert numbers_scored(after) == [5]
    assert bench.observer.for_nobody == 2
    assert bench.observer.dropped == 0


@on_a_loop
async def test_a_split_call_cancelled_between_its_batches_has_no_more_computed():
    bench = Bench(allowed_batch_sizes=(1, 2))
    call, other = await bench.submit(1, 2, 3, 4), await bench.submit(5)
    call.cancel()
    await bench.settle()
    assert bench.queue.queued_rows == 1
    await bench.finish_all()
    assert bench.computed() == [[1, 2], [5]]
    assert numbers_scored(other) == [5]
    assert (bench.observer.dropped, bench.observer.for_nobody) == (2, 2)


@on_a_loop
async def test_a_failing_engine_fails_only_the_calls_of_that_batch():
    bench = Bench(allowed_batch_sizes=(1, 2))
    first, second, third = await bench.submit(1, 2), await bench.submit(3, 4), await bench.submit(5)
    await bench.finish()
    await bench.fail(RuntimeError("out of memory"))
    await bench.finish_all()
    assert numbers_scored(first) == [1, 2]
    with pytest.raises(EngineFailed) as failure:
        second.result()
    assert isinstance(failure.value.__cause__, RuntimeError)
    assert numbers_scored(third) == [5]


@on_a_loop
async def test_a_split_call_that_failed_once_has_no_more_computed():
    bench = Bench(allowed_batch_sizes=(1, 2))
    split, other = await bench.submit(1, 2, 3, 4), await bench.submit(5)
    await bench.fail(RuntimeError("out of memory"))
    await bench.finish_all()
    assert bench.computed() == [[1, 2], [5]]
    assert isinstance(split.exception(), EngineFailed)
    assert numbers_scored(other) == [5]
    assert bench.queue.queued_rows == 0


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@on_a_loop
async def test_scores_that_are_not_numbers_fail_their_own_call_only(poison):
    def poisoned(rows):
        scores = scores_of(rows)
        scores[1, 0] = poison
        return scores

    bench = Bench()
    await bench.submit(1)
    calls = [await bench.submit(number) for number in (2, 3, 4)]
    await bench.finish()
    await bench.finish(with_scores=poisoned)
    assert numbers_scored(calls[0]) == [2]
    with pytest.raises(EngineFailed, match="not numbers"):
        calls[1].result()
    assert numbers_scored(calls[2]) == [4]


@on_a_loop
async def test_scores_of_padding_that_are_not_numbers_fail_nobody():
    bench = Bench(allowed_batch_sizes=(4,))
    call = await bench.submit(1)
    await bench.finish(with_scores=lambda rows: np.where(scores_of(rows) == 0, np.nan, scores_of(rows)))
    assert numbers_scored(call) == [1]


@on_a_loop
async def test_an_engine_that_gives_too_few_scores_fails_the_calls_rather_than_leaving_them_to_wait():
    bench = Bench()
    call = await bench.submit(1, 2, 3)
    await bench.finish(with_scores=lambda rows: scores_of(rows)[:2])
    assert call.done()
    with pytest.raises(EngineFailed):
        call.result()
