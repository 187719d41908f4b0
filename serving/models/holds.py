"""Who is still at work with something that is to be closed. Kept on one event loop, so nothing is locked."""

import asyncio


class Holds:
    """Counts those at work, and tells when the last has left."""

    def __init__(self) -> None:
        self._count = 0
        self._ended: asyncio.Event | None = None

    def take(self) -> None:
        """Somebody begins."""
        self._count += 1

    def leave(self) -> None:
        """Somebody who began is done."""
        self._count -= 1
        if self._ended and not self._count:
            self._ended.set()

    async def ended(self) -> None:
        """Returns once nobody is at work. Nobody may begin meanwhile."""
        if self._count:
            self._ended = asyncio.Event()
            await self._ended.wait()
