"""The end of a server's calls: new ones are refused, those in flight are waited for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import Unavailable

STOPPING = Unavailable("A server that is stopping takes no new pictures. Send them to another replica.")


class Drain:
    """Knows the calls of every door. All of it on the event loop."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def stop(self) -> None:
        """From here on doors refuse new calls, by STOPPING."""
        self.stopping.set()

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call is in flight inside the block."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def idle(self, within: float) -> None:
        """Returns once no call is in flight, or after so many seconds."""
        idle = asyncio.create_task(self._idle.wait())
        await asyncio.wait({idle}, timeout=within)
        idle.cancel()
