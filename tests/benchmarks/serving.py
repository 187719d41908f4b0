"""Measures serving, and rewrites its tables in README.md.

make bench
"""

import importlib
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console

from tests.benchmarks import report
from training.markdown import put

README = Path(__file__).with_name("README.md")
PREPARING_MINUTES = 30.0
"""For the network that is made once."""
_PATIENCE = 30.0


class Part(NamedTuple):
    """One benchmark, measured in a process of its own: TensorFlow sizes its threads once a process."""

    module: str
    minutes: float
    """After which it is stopped."""


PARTS = {
    "lenet5": Part("lenet5_rates", 4),
    "resnet50": Part("resnet50_rates", 8),
    "overload": Part("overload", 2),
    "priorities": Part("priorities", 2),
    "server-memory": Part("server_memory", 2),
}


@click.command()
@click.argument("names", metavar="[PART]...", nargs=-1, type=click.Choice(tuple(PARTS)))
def main(names: Sequence[str]) -> None:
    """Measure each PART (lenet5, resnet50, overload, priorities, server-memory), or all: some minutes."""
    if len(names) == 1:
        _measure(names[0])
        return
    if not names or "resnet50" in names:
        ended_well(("resnet50",), PREPARING_MINUTES)
    missing = [name for name in names or PARTS if not ended_well(("serving", name), PARTS[name].minutes)]
    if missing:
        sys.exit(f"These were not measured, and keep the table they had: {', '.join(missing)}.")


def ended_well(arguments: Sequence[str], minutes: float) -> bool:
    """Whether the benchmark named by `arguments` ended by itself, and with 0. One that does not end is interrupted
    after so many `minutes`, so that it ends its servers.
    """
    module, *names = arguments
    process = subprocess.Popen([sys.executable, "-m", f"tests.benchmarks.{module}", *names])
    try:
        return process.wait(60 * minutes) == 0
    except subprocess.TimeoutExpired:
        print(f"{' '.join(arguments)} took more than {minutes:.0f} minutes.", file=sys.stderr)
        return False
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _measure(name: str) -> None:

    part: Any = importlib.import_module(f"tests.benchmarks.{PARTS[name].module}")
    found = part.measure()
    lines = [report.machine(), "", *part.table(found), "", *report.targets(part.targets(found))]
    Console().print("\n".join(lines), markup=False, soft_wrap=True)
    put(README, name, lines)


if __name__ == "__main__":
    main()
