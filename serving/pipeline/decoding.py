"""Large pictures on their way through the decoding threads: how many may be, and whose turn it is."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, TypeVar

from serving.pipeline.room import Room

Result = TypeVar("Result")


@dataclass(eq=False)
class _Job:
    model: str
    pixels: int
    work: Callable[[], Any]
    done: asyncio.Future


class Decoding:
    """Threads that models use in turn, a picture each: next comes who had the last turn the longest ago, so that one
    with many pictures is behind all that had none. All but the work happens on one event loop.
    """

    def __init__(self, threads: int, max_pixels: int) -> None:
        """Pictures of at most `max_pixels` together are at work or wait."""
        self._idle_threads = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._room = Room(max_pixels, "pixels of large pictures")
        self._waiting: dict[str, deque[_Job]] = {}
        """By model; no line is empty."""
        self._turns = count(1)
        self._last_turn: Counter[str] = Counter()

    async def run(self, model: str, pixels: int, work: Callable[[], Result]) -> Result:
        """What `work`, about a picture of so many pixels for `model`, returns from a thread. It is not begun where the
        caller goes before its turn.

        Raises Overloaded at once where there is no room, and what `work` does.
        """
        self._room.take(model, pixels)
        job = _Job(model, pixels, work, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(model, deque()).append(job)
        self._start()
        try:
            return await job.done
        except asyncio.CancelledError:
            self._withdraw(job)
            raise

    def close(self) -> None:
        """Gives the threads back, once what they are at has ended. Who still waits has to have been cancelled."""
        self._waiting.clear()
        self._threads.shutdown()

    def _start(self) -> None:
        while self._idle_threads and self._waiting:
            job = self._next()
            self._idle_threads -= 1
            running = asyncio.get_running_loop().run_in_executor(self._threads, job.work)
            running.add_done_callback(partial(self._ended, job))

    def _next(self) -> _Job:
        model = min(self._waiting, key=self._last_turn.__getitem__)
        self._last_turn[model] = next(self._turns)
        line = self._waiting[model]
        job = line.popleft()
        if not line:
            del self._waiting[model]
        return job

    def _ended(self, job: _Job, running: asyncio.Future) -> None:
        """Only here is the room free again, even where the caller went long before: the thread held the picture."""
        self._idle_threads += 1
        self._room.give_back(job.model, job.pixels)
        error = running.exception()
        if job.done.done():
            pass  # nobody waits for it
        elif error is not None:
            job.done.set_exception(error)
        else:
            job.done.set_result(running.result())
        self._start()

    def _withdraw(self, job: _Job) -> None:
        line = self._waiting.get(job.model, ())
        if not line or job not in line:
            return  # it is in a thread
        line.remove(job)
        if not line:
            del self._waiting[job.model]
        self._room.give_back(job.model, job.pixels)
