"""Measures what stays in the server's memory as requests come and go: one view of LeNet-5.

python -m tests.benchmarks.serving server-memory
"""

import asyncio
from typing import NamedTuple

from rich.progress import track

from serving.models import card as cards
from tests.benchmarks import lenet5_rates
from tests.benchmarks.ours import Ours, request, serving
from tests.benchmarks.report import Target
from training import first_light
from training.markdown import heading, row
from training.publishing import newest_version

CALLERS, FIRST, ALL = 64, 500, 20_000


class Resident(NamedTuple):
    """Bytes in memory, after the first requests and after all."""

    first: int
    last: int


def measure() -> Resident:
    """Trains the model where it is missing, and asks."""
    first_light.main()
    with serving(lenet5_rates.MODELS, "memory", engine_threads=lenet5_rates.THREADS) as server:
        return asyncio.run(_grown(server))


def table(resident: Resident) -> list[str]:
    """One row."""
    cells = [f"{each / 1e6:,.0f}" for each in resident]
    return [*heading("requests", [f"{FIRST:,}", f"{ALL:,}"]), row("resident MB", cells)]


def targets(resident: Resident) -> list[Target]:
    """How it compares with what was wanted."""
    grown = 100 * (resident.last / resident.first - 1)
    return [Target(f"growth of memory from {FIRST:,} to {ALL:,} requests, %", "at most", 3.0, grown)]


async def _grown(server: Ours) -> Resident:
    version = newest_version(lenet5_rates.MODELS / lenet5_rates.NAME)
    asked = request(lenet5_rates.NAME, cards.read(version).golden_inputs[0].png)
    async with server.stub(asked) as stub:
        turns = iter(track(range(ALL), "Memory"))

        async def caller(last: int) -> None:
            for turn in turns:
                await stub.Classify(asked)
                if turn >= last:
                    return

        await asyncio.gather(*(caller(FIRST - CALLERS) for _ in range(CALLERS)))
        first = server.process.resident_bytes()
        await asyncio.gather(*(caller(ALL) for _ in range(CALLERS)))
        return Resident(first, server.process.resident_bytes())
