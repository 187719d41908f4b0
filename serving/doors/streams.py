"""Answering a stream: many items at a time, each answer as soon as it is there."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

import grpc.aio
from google.protobuf.message import Message

Item = TypeVar("Item")
Given = TypeVar("Given")


def in_turn(answer: Callable[[Item], Awaitable[Given]]) -> Callable[[Item], Awaitable[Given]]:
    """`answer`, whose calls return in the order in which they began."""
    last = asyncio.Event()
    last.set()

    async def answer_in_turn(item: Item) -> Given:
        nonlocal last
        earlier, last = last, (mine := asyncio.Event())
        given = await answer(item)
        await earlier.wait()
        mine.set()
        return given

    return answer_in_turn


async def write(response: Message, context: grpc.aio.ServicerContext) -> None:
    """Sends an answer. Where the caller has gone meanwhile this is cancelled, as gRPC is about to do itself."""
    try:
        await context.write(response)
    except grpc.aio.InternalError as error:
        raise asyncio.CancelledError("The caller has gone.") from error


async def in_order_of_completion(
    items: AsyncIterator[Item],
    answer: Callable[[Item], Awaitable[Given]],
    window: int,
    stopping: asyncio.Event,
) -> AsyncGenerator[Given, None]:
    """Yields `answer(item)` of every item, whichever is there first.

    An item is in the window from being read until its answer is taken by the consumer, so one who does not
    take answers is not read from. Once `stopping` is set no further item is taken; those in the window are
    still answered. Closing the iterator cancels them.
    """
    room = asyncio.Semaphore(window)
    given: asyncio.Queue[Given | None] = asyncio.Queue()
    answers: set[asyncio.Task[None]] = set()

    async def answer_one(item: Item) -> None:
        given.put_nowait(await answer(item))

    async def take_in() -> None:
        await room.acquire()
        async for item in items:
            task = asyncio.create_task(answer_one(item))
            answers.add(task)
            task.add_done_callback(answers.discard)
            await room.acquire()

    async def answer_all() -> None:
        intake, stop = asyncio.create_task(take_in()), asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({intake, stop}, return_when=asyncio.FIRST_COMPLETED)
            if intake.done():
                intake.result()  # raises what reading raised
            intake.cancel()
            await asyncio.gather(*answers)
        finally:
            for task in (intake, stop, *answers):
                task.cancel()
            given.put_nowait(None)

    if stopping.is_set():
        return
    work = asyncio.create_task(answer_all())
    try:
        while (one := await given.get()) is not None:
            yield one
            room.release()
        await work
    finally:
        work.cancel()
