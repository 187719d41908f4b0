"""Connections that say something damaged each, and what they are told first."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TypeVar

CALLERS = 32

T = TypeVar("T")


async def first_told(
    port: int,
    messages: Iterable[bytes],
    patience: float,
    read: Callable[[asyncio.StreamReader], Awaitable[T]],
    unanswered: T,
) -> Counter[T]:
    """How often `read` made what of the answer to one of `messages`; `unanswered` where a caller got none and had no
    more patience, in seconds. Many callers at a time.
    """
    told: Counter[T] = Counter()
    turns = iter(messages)

    async def one(message: bytes) -> T:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(message)
            with suppress(asyncio.TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                return await asyncio.wait_for(read(reader), patience)
            return unanswered
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def caller() -> None:
        for message in turns:
            told[await one(message)] += 1

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return told
