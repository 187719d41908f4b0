"""The table of the serving benchmark: from rounds of measurements to Markdown, and into README.md."""

import datetime
import os
import platform
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.load import Measured

CALLERS = (1, 16, 64)
README = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


class Asked(NamedTuple):
    """What was measured: something in process, or something that callers asked."""

    what: str
    callers: int = 0


PREPARE, ENGINE_1, ENGINE_64 = (
    Asked("decode and view"),
    Asked("bare engine, 1 row"),
    Asked("bare engine, a batch of 64"),
)
ECHO, ONE, TEN = "echo", "one view", "ten views"

Round = dict[Asked, Measured]


def table(rounds: list[Round]) -> str:
    """What was asked, how often it answered, and how that compares with the targets; in Markdown."""
    lines = [
        _machine(),
        "",
        "| asked | callers | answers/s | p50 ms | p99 ms | of the echo |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [_row(asked, rounds) for asked in rounds[0]]
    lines += ["", "| target | wanted | measured |", "|---|--:|--:|"]
    lines += [f"| {what} | {wanted} | {median(map(figure, rounds)):.2f} |" for what, wanted, figure in _TARGETS]
    return "\n".join(lines)


def _row(asked: Asked, rounds: list[Round]) -> str:
    rate, p50, p99 = (median(figures) for figures in zip(*(measured[asked] for measured in rounds), strict=True))
    echo = Asked(ECHO, asked.callers)
    shares = [measured[asked].rate / measured[echo].rate for measured in rounds if echo in measured]
    share = f"{median(shares):.2f}" if shares else ""
    return f"| {asked.what} | {asked.callers or ''} | {rate:,.0f} | {p50 * 1e3:.2f} | {p99 * 1e3:.2f} | {share} |"


def write(text: str) -> None:
    """Puts `text` between the markers of README.md."""
    before, _, rest = README.read_text().partition(_BEGIN)
    README.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{rest.partition(_END)[2]}")


def _extra_latency(measured: Round) -> float:
    """Milliseconds that a call of one caller takes beyond decoding and the engine."""
    return 1e3 * (measured[Asked(ONE, 1)].p50 - measured[PREPARE].p50 - measured[ENGINE_1].p50)


_TARGETS: list[tuple[str, str, Callable[[Round], float]]] = [
    (
        "rate of one view at 64 callers, of the echo's",
        "at least 0.50",
        lambda measured: measured[Asked(ONE, 64)].rate / measured[Asked(ECHO, 64)].rate,
    ),
    ("latency of one caller above decoding and the engine, ms", "at most 1.00", _extra_latency),
    (
        "cost of ten views at 64 callers, in single views",
        "at most 2.50",
        lambda measured: measured[Asked(ONE, 64)].rate / measured[Asked(TEN, 64)].rate,
    ),
    (
        "latency of ten views of one caller, in single views",
        "at most 2.50",
        lambda measured: measured[Asked(TEN, 1)].p50 / measured[Asked(ONE, 1)].p50,
    ),
]


def _machine() -> str:
    names = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    cpu = names[0] if names else platform.machine()
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "grpcio"))
    return (
        f"{datetime.date.today()}, {cpu}, {len(os.sched_getaffinity(0))} cores, "
        f"Python {platform.python_version()}, {packages}. Server and callers share the machine."
    )
