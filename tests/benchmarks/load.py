"""Closed-loop load: a number of callers, each of whom asks again as soon as it is answered."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Measured(NamedTuple):
    """What a number of callers saw."""

    rate: float
    """Answers a second, all callers together."""
    p50: float
    """Seconds from question to answer, at the median."""
    p99: float


async def run_callers(ask: Callable[[], Awaitable], callers: int, seconds: float) -> Measured:
    """Has `callers` call `ask` for `seconds`, after a fifth of that uncounted."""
    await _rounds(ask, callers, seconds / 5)
    started = time.perf_counter()
    latencies = await _rounds(ask, callers, seconds)
    return _measured(latencies, time.perf_counter() - started)


def run_loop(work: Callable[[], object], seconds: float) -> Measured:
    """Calls `work` over and over in this thread for `seconds`, after a fifth of that uncounted."""
    _loop(work, seconds / 5)
    started = time.perf_counter()
    latencies = _loop(work, seconds)
    return _measured(latencies, time.perf_counter() - started)


async def _rounds(ask: Callable[[], Awaitable], callers: int, seconds: float) -> list[float]:
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def caller() -> None:
        while (asked := time.perf_counter()) < end:
            await ask()
            latencies.append(time.perf_counter() - asked)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return latencies


def _loop(work: Callable[[], object], seconds: float) -> list[float]:
    latencies = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        work()
        latencies.append(time.perf_counter() - started)
    return latencies


def _measured(latencies: list[float], seconds: float) -> Measured:
    return Measured(len(latencies) / seconds, statistics.median(latencies), statistics.quantiles(latencies, n=100)[98])
