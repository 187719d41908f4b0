"""Runs signatures on the threads of a servable, beside its batches."""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import Executor
from typing import Any, NamedTuple

from numpy.typing import NDArray

from serving.errors import Overloaded
from serving.models.signatures import Signature, Signatures, Tensors

MAX_WAITING = 64
"""Calls that may wait for a turn of one version; each holds its inputs."""


class Running(NamedTuple):
    """A call whose turn has come."""

    arrays: asyncio.Future[dict[str, NDArray[Any]]]
    """What it gives. Its thread goes on, and keeps the inputs, though its caller has gone: wait for it behind a
    shield.
    """
    started: float
    """When its turn came, on the clock."""


class SignatureCalls:
    """Takes few calls at a time, so that a batch waits for no more than those. All of it on the event loop."""

    def __init__(self, signatures: Signatures, threads: Executor, clock: Callable[[], float], at_once: int = 1) -> None:
        """`at_once` calls run side by side."""
        self.signatures = signatures
        self._threads = threads
        self._clock = clock
        self._turns = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._running: set[asyncio.Future[dict[str, NDArray[Any]]]] = set()

    async def begin(self, signature: Signature, inputs: Tensors, outputs: Collection[str]) -> Running:
        """Waits for a turn, and runs then: see Signatures.run. Raises Overloaded where too many wait."""
        if self._waiting >= MAX_WAITING:
            raise Overloaded(
                f"At most {MAX_WAITING} calls wait for the signatures of a version, and so many do. Try again later; "
                "of a model with a card, serving_default is asked in batches, and more may wait."
            )
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        started = self._clock()
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, self.signatures.run, signature, inputs, outputs)
        self._running.add(running)
        running.add_done_callback(self._ended)
        return Running(running, started)

    def _ended(self, running: asyncio.Future[dict[str, NDArray[Any]]]) -> None:
        """A turn lasts until its thread is done, whoever has gone meanwhile."""
        self._running.discard(running)
        self._turns.release()

    async def drained(self) -> None:
        """Returns once no call runs, those of callers who have gone too. None may begin meanwhile."""
        if self._running:
            await asyncio.wait(self._running)
