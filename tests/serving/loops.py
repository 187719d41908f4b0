"""Running async tests, and a loop in a thread of its own for servers."""

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

from tests.serving.fakes import PATIENCE

Result = TypeVar("Result")


def on_a_loop(test: Callable[..., Coroutine]) -> Callable[..., None]:
    """Runs an async test on a loop of its own; one that hangs fails."""

    @functools.wraps(test)
    def run(*args, **kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), PATIENCE))

    return run


class LoopThread:
    """One event loop for every server of the tests: grpc.aio is made for one a process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="servers")
        self._thread.start()

    def run(self, coroutine: Coroutine[None, None, Result]) -> Result:
        """What `coroutine` returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    def close(self) -> None:
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def eventually(holds: Callable[[], bool]) -> None:
    """Returns as soon as `holds()`, which another thread or process brings about; fails if it never does."""
    given_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < given_up, "waited in vain"
        time.sleep(0.002)
