"""Sends the HTTP door requests with random damage: what it says to them, and what stays in its memory.

python -m tests.benchmarks.serving damaged-http
"""

import asyncio
from collections import Counter
from itertools import islice
from typing import NamedTuple

from tests.benchmarks import lenet5_rates
from tests.benchmarks.ours import Ours, serving
from tests.benchmarks.report import Target
from tests.damage.http import DOCUMENTED, UNANSWERED, damaged, statuses_told
from training import first_light
from training.markdown import heading, row

FIRST, ALL = 1000, 10_000
PATIENCE = 0.3


class Told(NamedTuple):
    """What came back, and bytes in memory after the first requests and after all."""

    statuses: Counter[int]
    first: int
    last: int


def measure() -> Told:
    """Trains the model where it is missing, and asks."""
    first_light.main()
    with serving(lenet5_rates.MODELS, "damaged-http", engine_threads=lenet5_rates.THREADS) as server:
        return asyncio.run(_told(server))


def table(told: Told) -> list[str]:
    """How often each status was told."""
    numbers = sorted(told.statuses)
    cells = [f"{told.statuses[number]:,}" for number in numbers]
    return [*heading("status", [str(number or "none") for number in numbers]), row("requests", cells)]


def targets(told: Told) -> list[Target]:
    """How it compares with what was wanted."""
    undocumented = sum(count for status, count in told.statuses.items() if status not in DOCUMENTED | {UNANSWERED})
    grown = 100 * (told.last / told.first - 1)
    return [
        Target("statuses that are not documented", "at most", 0, undocumented),
        Target(f"growth of memory from {FIRST:,} to {ALL:,} requests, %", "at most", 3.0, grown),
    ]


async def _told(server: Ours) -> Told:
    _, connection = await server.process.first_answer(lambda: asyncio.open_connection("127.0.0.1", server.http_port))
    connection.close()
    messages = damaged(seed=1)
    told = await statuses_told(server.http_port, islice(messages, FIRST), PATIENCE)
    first = server.process.resident_bytes()
    told += await statuses_told(server.http_port, islice(messages, ALL - FIRST), PATIENCE)
    return Told(told, first, server.process.resident_bytes())
