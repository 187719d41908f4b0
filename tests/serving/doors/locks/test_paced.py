"""Streams that go no faster than their caller may, and end where nothing comes."""

import asyncio

from serving.doors.locks.paced import Paced
from serving.errors import DeadlinePassed, Unauthenticated
from tests.serving.loops import on_a_loop


async def sent(*messages):
    for message in messages:
        yield message


async def silent_after(*messages):
    for message in messages:
        yield message
    await asyncio.Event().wait()


@on_a_loop
async def test_messages_come_through_in_order():
    paced = Paced(sent(1, 2, 3), lambda: 0.0, idle_seconds=60)
    assert [each async for each in paced] == [1, 2, 3]
    assert paced.ended_by is None


@on_a_loop
async def test_each_message_after_the_first_waits_until_its_caller_may_send_it():
    waits, slept = iter([0.5, 0.25, 0.0, 0.0]), []

    async def sleep(seconds):
        slept.append(seconds)

    paced = Paced(sent(1, 2, 3), lambda: next(waits), 60, sleep)
    assert [each async for each in paced] == [1, 2, 3]
    assert slept == [0.5, 0.25]
    assert list(waits) == []


@on_a_loop
async def test_a_silent_stream_ends_and_says_why():
    paced = Paced(silent_after(1), lambda: 0.0, idle_seconds=0.01)
    assert [each async for each in paced] == [1]
    assert isinstance(paced.ended_by, DeadlinePassed)


@on_a_loop
async def test_time_that_the_server_takes_is_not_the_callers():
    paced = Paced(sent(1, 2, 3), lambda: 0.0, idle_seconds=0.01)
    got = []
    async for each in paced:
        looked = asyncio.Event()
        asyncio.get_running_loop().call_later(0.03, looked.set)
        await looked.wait()
        got.append(each)
    assert got == [1, 2, 3]


@on_a_loop
async def test_a_caller_who_is_shut_out_meanwhile_sends_no_more():
    def shut_out():
        raise Unauthenticated("Taken back.")

    paced = Paced(sent(1, 2), shut_out, idle_seconds=60)
    assert [each async for each in paced] == [1]
    assert str(paced.ended_by) == "Taken back."


@on_a_loop
async def test_who_stops_reading_is_stopped_and_not_taken_for_idle():
    paced = Paced(silent_after(), lambda: 0.0, idle_seconds=60)
    reading = asyncio.create_task(anext(aiter(paced)))
    await asyncio.sleep(0)
    reading.cancel()
    (outcome,) = await asyncio.gather(reading, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)
    assert paced.ended_by is None
