"""What a serving benchmark found, as tables in Markdown: rates and latencies, and how they compare with targets."""

import os
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from statistics import median
from typing import Literal, NamedTuple

from tests.benchmarks.load import Measured
from training.markdown import heading, row, today


class Asked(NamedTuple):
    """What was measured: something in process, or something that so many callers asked."""

    what: str
    callers: int = 0


Rounds = defaultdict[Asked, list[Measured]]
"""In the order in which they were first measured; each as often as there were rounds."""


class Target(NamedTuple):
    """What was wanted, and what came."""

    what: str
    bound: Literal["at least", "at most"]
    wanted: float
    measured: float

    @property
    def met(self) -> bool:
        """Whether what came is what was wanted."""
        return self.measured >= self.wanted if self.bound == "at least" else self.measured <= self.wanted


def ratio(rounds: Rounds, above: Asked, below: Asked) -> float:
    """How many times the rate of `below` that of `above` is: the median of what it was in each round."""
    return median(mine.rate / other.rate for mine, other in zip(rounds[above], rounds[below], strict=True))


def p50(rounds: Rounds, asked: Asked) -> float:
    """Seconds."""
    return median(measured.p50 for measured in rounds[asked])


def rates(rounds: Rounds) -> list[str]:
    """A row for each that was asked: medians over the rounds."""
    lines = heading("asked", ["callers", "their CPU", "answers/s", "p50 ms", "p95 ms", "p99 ms"])
    for (what, callers), all_rounds in rounds.items():
        rate, *latencies, cpu = (median(figures) for figures in zip(*all_rounds, strict=True))
        asked_by = [str(callers), f"{cpu:.0%}"] if callers else ["", ""]
        shown = [f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}", *(f"{each * 1e3:,.2f}" for each in latencies)]
        lines.append(row(what, [*asked_by, *shown]))
    return lines


def targets(found: Sequence[Target]) -> list[str]:
    """A row for each target."""
    lines = heading("target", ["wanted", "measured", "met"])
    for target in found:
        cells = [f"{target.bound} {target.wanted:.2f}", f"{target.measured:.2f}", "yes" if target.met else "no"]
        lines.append(row(target.what, cells))
    return lines


def machine() -> str:
    """The date, the machine and what ran on it."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "grpcio"))
    return f"{today()}, of which {len(os.sched_getaffinity(0))} may be used. {packages}. Server and callers share it."
