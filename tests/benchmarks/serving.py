"""Measures serving, and rewrites its tables in README.md.

make bench
"""

import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console

from tests.benchmarks import report
from tests.benchmarks.processes import ended_well
from training.markdown import put

README = Path(__file__).with_name("README.md")
PREPARING_MINUTES = 30.0
"""For the network that is made once."""


class Part(NamedTuple):
    """One benchmark, measured in a process of its own: TensorFlow sizes its threads once a process."""

    module: str
    minutes: float
    """After which it is stopped."""


PARTS = {
    "lenet5": Part("lenet5_rates", 4),
    "resnet50": Part("resnet50_rates", 14),
    "overload": Part("overload", 2),
    "priorities": Part("priorities", 2),
    "server-memory": Part("server_memory", 2),
    "damaged-http": Part("damaged_http", 4),
    "damaged-grpc": Part("damaged_grpc", 12),
    "cold-start": Part("cold_start", 4),
}


@click.command()
@click.argument("names", metavar="[PART]...", nargs=-1, type=click.Choice(tuple(PARTS)))
@click.option("--here", is_flag=True, help="Measure one PART in this process.")
def main(names: Sequence[str], here: bool) -> None:
    """Measure each PART, or all: some minutes.

    A PART is lenet5, resnet50, overload, priorities, server-memory, damaged-http, damaged-grpc or cold-start.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever is ended ends its servers
    if here:
        _measure(*names)
        return
    parts = names or tuple(PARTS)
    if {"resnet50", "cold-start"} & set(parts):
        ended_well("resnet50", minutes=PREPARING_MINUTES)
    missing = [name for name in parts if not ended_well("serving", name, "--here", minutes=PARTS[name].minutes)]
    if missing:
        sys.exit(f"These were not measured, and keep the table they had: {', '.join(missing)}.")


def _measure(name: str) -> None:

    part: Any = importlib.import_module(f"tests.benchmarks.{PARTS[name].module}")
    found = part.measure()
    lines = [report.machine(), "", *part.table(found), "", *report.targets(part.targets(found))]
    Console().print("\n".join(lines), markup=False, soft_wrap=True)
    put(README, name, lines)


if __name__ == "__main__":
    main()
