"""Measures other servers beside ours, and rewrites their tables in tests/benchmarks/README.md.

make bench-peers
python -m tests.benchmarks.peers litserve
"""

import contextlib
import signal
import sys
from collections.abc import Sequence

import click
from rich.console import Console

from tests.benchmarks import report
from tests.benchmarks.peers import compare
from tests.benchmarks.peers.catalogue import PEERS
from tests.benchmarks.peers.environments import NotInstalled, python_of, version
from tests.benchmarks.processes import NeverAnswered, ended_well
from tests.benchmarks.serving import PREPARING_MINUTES, README
from training.markdown import put

MINUTES = 10.0
"""For one peer, after it is installed."""


@click.command()
@click.argument("names", metavar="[PEER]...", nargs=-1, type=click.Choice(tuple(PEERS)))
@click.option("--here", is_flag=True, help="Measure one PEER in this process.")
def main(names: Sequence[str], here: bool) -> None:
    """Measure each PEER (litserve, mlserver, bentoml, ray, pytriton) beside us, or all: some minutes each."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever is ended ends its servers
    if here:
        _measure(*names)
        return
    peers = names or tuple(PEERS)
    ended_well("resnet50", minutes=PREPARING_MINUTES)
    for name in peers:
        with contextlib.suppress(NotInstalled):  # the measuring process will say it in the table
            python_of(name)
    missing = [name for name in peers if not ended_well("peers", name, "--here", minutes=MINUTES)]
    if missing:
        sys.exit(f"These were not measured, and keep the table they had: {', '.join(missing)}.")


def _measure(name: str) -> None:
    peer = PEERS[name]
    head = [report.machine(), "", f"{peer.title} {version(name)}: {peer.configuration}."]
    try:
        found = compare.measure(name)
    except (NotInstalled, NeverAnswered, ValueError) as error:
        body = [f"It was not measured: {error}"]
    else:
        best = f"Our best engine is {found.best}."
        body = [best, "", *report.rates(found.rounds), "", *report.targets(compare.targets(found))]
    Console().print("\n".join([*head, *body]), markup=False, soft_wrap=True)
    put(README, f"peer {name}", [*head, *body])


if __name__ == "__main__":
    main()
