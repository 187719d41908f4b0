"""Measures the peak of memory over an epoch of streamed pictures, of a small data set and of one eight times as large.

    python -m tests.benchmarks.memory

Each in a process of its own, from JPEG files and from TFRecords of about ImageNet's size.
"""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.input_pipeline import BATCH, PICTURES, make, repeated, with_threads
from training import data, recipes
from training.streams import Streamed

# Pictures come so often in the smaller data set that buffers are full, and eight times as often in the larger.
FILLING, GROWTH = 5, 8


class Peak(NamedTuple):
    """Megabytes over an epoch, of some pictures and of GROWTH times as many."""

    what: str
    small: float
    large: float


def measure() -> list[Peak]:
    """Of files, then of records."""
    with tempfile.TemporaryDirectory() as directory:
        return [
            Peak(kind, *(_of_its_own(place, times) for times in (FILLING, GROWTH * FILLING)))
            for kind, place in make(Path(directory), PICTURES).items()
        ]


def table(rows: list[Peak]) -> str:
    """The rows in Markdown."""
    lines = [f"| peak MB | {FILLING * PICTURES:,} pictures | {GROWTH * FILLING * PICTURES:,} |", "|---|--:|--:|"]
    return "\n".join(lines + [f"| {what} | {small:,.0f} | {large:,.0f} |" for what, small, large in rows])


def _of_its_own(place: Path, times: int) -> float:
    command = [sys.executable, "-m", "tests.benchmarks.memory", str(place), str(times)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout) / 1e6


def _peak(place: str, times: int) -> int:
    """Bytes, over an epoch in which each of the pictures at `place` comes so many times."""
    changes = {"batch_size": BATCH, "epochs": 1, "schedule": "constant", "milestones": (), "validation": 0}
    recipe = replace(recipes.find("resnet50", "directory"), **changes)
    for _ in with_threads(Streamed(repeated(data.load(place), times), recipe).batches(0, 0)):
        pass
    # Not getrusage's, which counts the process that this one was started from, too.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    print(_peak(sys.argv[1], int(sys.argv[2])) if sys.argv[1:] else table(measure()))
