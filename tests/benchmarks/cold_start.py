"""Measures how long a server takes from its start until it answers: one LeNet-5, and one ResNet-50.

python -m tests.benchmarks.serving cold-start
"""

import asyncio
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from serving.models import card as cards
from tests.benchmarks import lenet5_rates, resnet50
from tests.benchmarks.ours import LOGS, request, serving
from tests.benchmarks.report import Target
from training import first_light
from training.markdown import heading, row
from training.publishing import newest_version

STARTS = 3
"""Before them comes one that is not counted: it reads files from disk, and measures which engine is fastest."""
WANTED = {"LeNet-5": 4.0, "ResNet-50": 6.0}


class Started(NamedTuple):
    """One start."""

    seconds: float
    """From the process until the first answer."""
    said: str
    """Where the server's log says that they went."""


Found = dict[str, list[Started]]


def measure() -> Found:
    """Makes the models where they are missing, and starts servers."""
    first_light.main()
    resnet50.main()
    sources = {
        "LeNet-5": newest_version(lenet5_rates.MODELS / lenet5_rates.NAME),
        "ResNet-50": newest_version(resnet50.MODELS / resnet50.NAME),
    }
    return {name: _starts(source) for name, source in sources.items()}


def table(found: Found) -> list[str]:
    """A row for each model."""
    lines = heading("model", ["s until the first answer, median", "the last start, by its log"])
    for name, starts in found.items():
        lines.append(row(name, [f"{_median(starts):.1f}", starts[-1].said]))
    return lines


def targets(found: Found) -> list[Target]:
    """How it compares with what was wanted."""
    return [Target(f"cold start of {name}, s", "at most", WANTED[name], _median(each)) for name, each in found.items()]


def _median(starts: list[Started]) -> float:
    return median(started.seconds for started in starts)


def _starts(source: Path) -> list[Started]:
    with _alone(source) as models:
        _, *counted = (asyncio.run(_start(models, source)) for _ in range(1 + STARTS))
    return counted


@contextmanager
def _alone(source: Path) -> Iterator[Path]:
    """A directory of models that holds a copy of the version `source`, and nothing else."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(source, Path(directory, source.parent.name, source.name))
        yield Path(directory)


async def _start(models: Path, source: Path) -> Started:
    asked = request(source.parent.name, cards.read(source).golden_inputs[0].png)
    began = time.perf_counter()
    with serving(models, "cold-start") as server:
        async with server.stub(asked):
            seconds = time.perf_counter() - began
    said = re.search(r"ready in (.*)", (LOGS / "cold-start.log").read_text())
    if said is None:
        raise RuntimeError("A server's log says where its start's seconds went; this one's does not.")
    return Started(seconds, said[1])
