"""What a stream sends, no faster than its caller may, and not for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from serving.doors.locks.patience import Patience
from serving.errors import DeadlinePassed, TencropError

Message = TypeVar("Message")


class Paced(Generic[Message]):
    """The messages of a stream. Where one is not to go on, they end, so that what was sent before is answered, and
    `ended_by` says why.
    """

    def __init__(
        self,
        messages: AsyncIterator[Message],
        seconds_until_more: Callable[[], float],
        idle_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """The first message is part of the call. Each other is handed on once `seconds_until_more()` is 0; what that
        raises ends the stream, and so does a message that is not there `idle_seconds` after it was asked for.
        """
        self.ended_by: TencropError | None = None
        self._messages = messages
        self._seconds_until_more = seconds_until_more
        self._idle_seconds = idle_seconds
        self._sleep = sleep
        self._reader: asyncio.Task | None = None
        self._is_idle = False

    async def __aiter__(self) -> AsyncIterator[Message]:
        messages = aiter(self._messages)
        patience = Patience(self._idle_seconds, self._stop_reading)
        is_first = True
        try:
            while True:
                with patience:
                    message = await self._next(messages)
                while not is_first and (wait := self._seconds_until_more()):
                    await self._sleep(wait)
                is_first = False
                yield message
        except StopAsyncIteration:
            return
        except TencropError as error:
            self.ended_by = error
        finally:
            patience.end()

    async def _next(self, messages: AsyncIterator[Message]) -> Message:
        self._reader = asyncio.current_task()
        try:
            return await anext(messages)
        except asyncio.CancelledError:
            if not self._is_idle:
                raise
            raise DeadlinePassed(
                f"A stream sends a message every {self._idle_seconds:g} s; none came for so long. Open another."
            ) from None

    def _stop_reading(self) -> None:
        assert self._reader
        self._is_idle = True
        self._reader.cancel()
