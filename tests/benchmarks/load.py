"""Closed-loop load: a number of callers, each of whom asks again as soon as it is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import numpy as np

WARM_UP = 0.2
"""Before what is counted, as a share of it."""
_ANSWERS, _PATIENCE = 3, 3
_ONE_BATCH = 0.05
"""Answers that come within so many seconds of each other may be of one batch."""


class Measured(NamedTuple):
    """What a number of callers saw."""

    rate: float
    """Answers a second, all callers together."""
    p50: float
    """Seconds from question to answer, at the median."""
    p95: float
    p99: float
    callers_cpu: float
    """The share of one core that the callers' process used: near 1, it is they who are measured."""


class Answered(NamedTuple):
    """One answer."""

    at: float
    seconds: float
    """Since it was asked for."""


async def run_callers(ask: Callable[[], Awaitable], callers: int, seconds: float) -> Measured:
    """Has `callers` call `ask` for `seconds`, after a fifth of that uncounted; for up to _PATIENCE times as long, until
    each has had some answers.
    """
    answers: list[Answered] = []
    started, cpu = time.perf_counter(), time.process_time()
    end = stopped = started + (1 + WARM_UP) * seconds

    async def caller() -> None:
        nonlocal stopped
        while (asked := time.perf_counter()) < end or len(answers) < _ANSWERS * callers:
            if asked > started + _PATIENCE * seconds:
                break
            await ask()
            now = time.perf_counter()
            answers.append(Answered(now, now - asked))
            if len(answers) <= _ANSWERS * callers:
                stopped = max(end, now)

    await asyncio.gather(*(caller() for _ in range(callers)))
    callers_cpu = (time.process_time() - cpu) / (time.perf_counter() - started)
    return measured(answers, started + WARM_UP * seconds, stopped, callers_cpu)


def run_loop(work: Callable[[], object], seconds: float, answers: int = 1) -> Measured:
    """Calls `work`, which gives so many `answers`, over and over in this thread for `seconds`, after a fifth of that
    uncounted.
    """
    done: list[Answered] = []
    started, cpu = time.perf_counter(), time.process_time()
    end = started + (1 + WARM_UP) * seconds
    while (asked := time.perf_counter()) < end or len(done) < 3 * answers:
        work()
        now = time.perf_counter()
        done += [Answered(now, now - asked)] * answers
    callers_cpu = (time.process_time() - cpu) / (time.perf_counter() - started)
    return measured(done, started + WARM_UP * seconds, max(end, now), callers_cpu)


def measured(answers: list[Answered], begin: float, end: float, callers_cpu: float) -> Measured:
    """Of `answers`, in the order they came, those between `begin` and `end`.

    The answers of a batch come together. So that none is counted in part, the time is that from the last answer
    before `begin` (or the first batch of all) to the last before `end`. Raises ValueError where nothing lies between.
    """
    begin = max(begin, answers[0].at + _ONE_BATCH)
    begin = max(answer.at for answer in answers if answer.at <= begin)
    counted = [answer for answer in answers if begin < answer.at <= end]
    if not counted:
        raise ValueError(f"A rate needs two batches; {len(answers)} answers came, all too late. Measure for longer.")
    p50, p95, p99 = np.percentile([answer.seconds for answer in counted], (50, 95, 99))
    return Measured(len(counted) / (counted[-1].at - begin), float(p50), float(p95), float(p99), callers_cpu)
