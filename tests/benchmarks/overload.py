"""Measures what three times as many callers as can be answered get: ten views of ResNet-20, who wait for 300 ms.

python -m tests.benchmarks.serving overload

ResNet-20 and not LeNet-5: three times what LeNet-5 can do is more than one client in Python can send.
"""

import asyncio
from statistics import median
from typing import NamedTuple

from rich.progress import track

from protos import classification_pb2 as pb
from tests.benchmarks import load, resnet20
from tests.benchmarks.arrivals import Arrived, poisson
from tests.benchmarks.load import Measured
from tests.benchmarks.ours import Ours, request, serving
from tests.benchmarks.report import Target
from training.markdown import heading, row

ROUNDS, SECONDS, CALLERS = 3, 8.0, 32
DEADLINE, TIMES = 0.3, 3.0


class Round(NamedTuple):
    """Callers who wait their turn, then callers who do not."""

    capacity: Measured
    arrived: Arrived
    computed: float
    """Rows, while those came."""
    for_nobody: float
    """Rows of them that were computed for callers who had gone."""


def measure() -> list[Round]:
    """Makes the network where it is missing, and asks in rounds."""
    resnet20.published()
    with serving(resnet20.MODELS, "overload") as server:
        return asyncio.run(_rounds(server))


def table(rounds: list[Round]) -> list[str]:
    """A row for each round."""
    lines = heading("round", ["capacity/s", "arrivals/s", "good answers/s", "late", "refused", "rows", "for nobody"])
    for number, (capacity, arrived, computed, for_nobody) in enumerate(rounds, 1):
        refused = ", ".join(f"{count} {status}" for status, count in sorted(arrived.refused.items()))
        rates = [f"{each:,.0f}" for each in (capacity.rate, arrived.arrivals, arrived.goodput)]
        lines.append(row(str(number), [*rates, str(arrived.late), refused, f"{computed:,.0f}", f"{for_nobody:,.0f}"]))
    return lines


def targets(rounds: list[Round]) -> list[Target]:
    """How it compares with what was wanted."""
    goodput = median(each.arrived.goodput / each.capacity.rate for each in rounds)
    wasted = 100 * sum(each.for_nobody for each in rounds) / sum(each.computed for each in rounds)
    return [
        Target(
            f"answers within {DEADLINE * 1e3:.0f} ms at {TIMES:.0f} times capacity, of it", "at least", 0.9, goodput
        ),
        Target("answers past the deadline", "at most", 0, sum(each.arrived.late for each in rounds)),
        Target("rows computed for nobody, %", "at most", 2.0, wasted),
    ]


async def _rounds(server: Ours) -> list[Round]:
    asked = request(resnet20.NAME, resnet20.picture(), pb.VIEWS_TEN)
    rounds = []
    async with server.stub(asked) as stub:
        for _ in track(range(ROUNDS), "Overload"):
            capacity = await load.run_callers(lambda: stub.Classify(asked), CALLERS, SECONDS / 2)
            before = _rows(server)
            arrived = await poisson(
                lambda: stub.Classify(asked, timeout=DEADLINE), TIMES * capacity.rate, SECONDS, DEADLINE
            )
            computed, for_nobody = (after - earlier for after, earlier in zip(_rows(server), before, strict=True))
            rounds.append(Round(capacity, arrived, computed, for_nobody))
    return rounds


def _rows(server: Ours) -> tuple[float, float]:
    """Computed so far, and of them for nobody."""
    return server.total("tencrop_batch_rows_sum"), server.total("tencrop_rows_for_nobody_total")
