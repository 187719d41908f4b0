"""What a stream sends, no faster than its caller may, and not for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

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
        self._asked = 0.0
        self._is_idle = False

    async def __aiter__(self) -> AsyncIterator[Message]:
        messages = aiter(self._messages)
        count = 0
        self._watch_for(self._idle_seconds)
        try:
            while True:
                message = await self._next(messages)
                while count and (wait := self._seconds_until_more()):
                    await self._sleep(wait)
                count += 1
                yield message
        except StopAsyncIteration:
            return
        except TencropError as error:
            self.ended_by = error
        finally:
            self._watch.cancel()

    async def _next(self, messages: AsyncIterator[Message]) -> Message:
        self._reader, self._asked = asyncio.current_task(), asyncio.get_running_loop().time()
        try:
            return await anext(messages)
        except asyncio.CancelledError:
            if not self._is_idle:
                raise
            raise DeadlinePassed(
                f"A stream sends a message every {self._idle_seconds:g} s; none came for so long. Open another."
            ) from None
        finally:
            self._reader = None

    def _watch_for(self, seconds: float) -> None:
        """Looks in so many seconds whether the reader waits in vain. One timer a stream: one a message would cost
        more than the message.
        """
        self._watch = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        waited = asyncio.get_running_loop().time() - self._asked if self._reader else 0.0
        if self._reader and waited >= self._idle_seconds:
            self._is_idle = True
            self._reader.cancel()
        else:
            self._watch_for(self._idle_seconds - waited)
