"""How long a call may wait for its caller, to send or to read."""

import asyncio
from collections.abc import Callable


class Patience:
    """A block in which a call waits; entered again and again, and by one at a time."""

    def __init__(self, seconds: float, give_up: Callable[[], object]) -> None:
        """Calls `give_up()`, once, where a block takes so long."""
        self._seconds = seconds
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        self._began = self._loop.time()
        if self._timer is None:
            self._look_in(self._seconds)

    def __exit__(self, *_) -> None:
        self._began = None

    def end(self) -> None:
        """Nothing is waited for any more."""
        if self._timer:
            self._timer.cancel()

    def _look_in(self, seconds: float) -> None:
        # One timer for many blocks: one a block would cost more than a message.
        self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._began is None:
            return
        left = self._seconds - (self._loop.time() - self._began)
        if left > 0:
            self._look_in(left)
        else:
            self._give_up()
