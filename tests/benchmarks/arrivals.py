"""Open-loop load: callers who come whether or not those before them have been answered, as a Poisson process."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import grpc
import grpc.aio


class Arrived(NamedTuple):
    """What came of all who came."""

    arrivals: float
    """A second, as they were really sent."""
    goodput: float
    """Answers within the deadline, a second."""
    late: int
    """Answers that came past it."""
    refused: Counter[str]
    """By status."""


async def poisson(ask: Callable[[], Awaitable], rate: float, seconds: float, deadline: float, seed: int = 0) -> Arrived:
    """Calls `ask` about `rate` times a second for `seconds`; an answer is good within `deadline` seconds."""
    gaps = random.Random(seed)
    latencies: list[float] = []
    refused: Counter[str] = Counter()

    async def caller() -> None:
        asked = time.perf_counter()
        try:
            await ask()
        except grpc.aio.AioRpcError as error:
            refused[error.code().name] += 1
        else:
            latencies.append(time.perf_counter() - asked)

    calls = []
    started = due = time.perf_counter()
    while due < started + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        calls.append(asyncio.create_task(caller()))
        due += gaps.expovariate(rate)
    sending = time.perf_counter() - started
    await asyncio.gather(*calls)
    good = sum(each <= deadline for each in latencies)
    return Arrived(len(calls) / sending, good / sending, len(latencies) - good, refused)
