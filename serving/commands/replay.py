"""tencrop replay"""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from protos.request_log_pb2 import RecordedCall
from serving.client import Access, AsyncClient
from serving.commands.access_options import access_options
from serving.commands.server_option import server_option
from serving.errors import InvalidRequest
from serving.request_log.names import all_files
from serving.request_log.outcomes import Outcomes
from serving.request_log.reading import asked_again, recorded_in
from serving.request_log.replaying import AsRecorded, AtOnce, AtRate, Pace, replay

_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_CHANGES = 10
"""Lines of the table of winners that changed."""


@click.command(
    "replay",
    epilog="""\b
Examples:
  tencrop replay requests
  tencrop replay requests --rate 200 --server gpu1:8500
  tencrop replay requests --model lenet5-a --against 4 --max-changed 2 --json

The calls are those that a server kept with --request-log and --request-log-pictures bytes; it may still be at it.

Exits with 1 where a call fails that was not its caller's fault before, where more winners change than --max-changed
allows, or where none could be compared. By default one winner in 200 may change: where two classes are as good as
equal, another engine or precision is enough to turn them. For a candidate that is meant to say something else, allow
for more; 100 is for tests under load, which ask only that every call be answered.""",
)
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@server_option
@access_options
@click.option("--model", default="", help="Ask this model.  [default: the one that was asked]")
@click.option(
    "--against", type=click.IntRange(1, 2**63 - 1), metavar="VERSION", help="Ask this version.  [default: as recorded]"
)
@click.option("--concurrency", type=click.IntRange(1, 1000), help="So many calls at a time.  [default: 8]")
@click.option("--rate", type=click.FloatRange(0.001, 1e6), help="So many calls a second, whether others have ended.")
@click.option("--as-recorded", is_flag=True, help="Send calls as far apart as they arrived.")
@click.option(
    "--max-changed",
    type=click.FloatRange(0, 100),
    default=0.5,
    show_default=True,
    metavar="PERCENT",
    help="Winners that may change.",
)
@click.option("--timeout", type=click.FloatRange(0.001, 86400), default=10.0, show_default=True, help="Seconds a call.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def replay_command(
    directory: Path,
    server: str,
    access: Access,
    model: str,
    against: int | None,
    concurrency: int | None,
    rate: float | None,
    as_recorded: bool,
    max_changed: float,
    timeout: float,
    as_json: bool,
) -> None:
    """Ask a server again what is kept in DIRECTORY: how fast it answers, and whether the winners are the same."""
    pace = _pace(concurrency, rate, as_recorded)

    async def run(done: Callable[[RecordedCall], None]) -> Outcomes:
        async with AsyncClient(server, timeout, access) as client:
            calls = recorded_in(directory)
            return await replay(calls, client, lambda call: asked_again(call, model, against), pace, done)

    outcomes = _with_progress(directory, run)
    if not outcomes.sent:
        raise InvalidRequest(
            f"Calls that are sent again were kept with their pictures; none of {outcomes.without_picture} in "
            f"{directory} was. Serve with --request-log-pictures bytes."
        )
    objections = outcomes.objections(max_changed)
    click.echo(json.dumps(_summary(outcomes, objections))) if as_json else _print_tables(outcomes, objections)
    sys.exit(1 if objections else 0)


def _pace(concurrency: int | None, rate: float | None, as_recorded: bool) -> Pace:
    if sum((concurrency is not None, rate is not None, as_recorded)) > 1:
        raise click.UsageError("A replay has one pace; several of --concurrency, --rate and --as-recorded came.")
    if as_recorded:
        return AsRecorded()
    return AtRate(rate) if rate else AtOnce(concurrency or 8)


def _with_progress(directory: Path, run: Callable) -> Outcomes:
    from rich.console import Console
    from rich.progress import Progress

    size = sum(path.stat().st_size for path in all_files(directory))
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("replaying", total=size)
        return asyncio.run(run(lambda call: progress.advance(task, call.ByteSize())))


def _summary(outcomes: Outcomes, objections: list[str]) -> dict:
    answered = len(outcomes.seconds)
    return {
        "answered": answered,
        "failed": dict(outcomes.failed),
        "refused_again": outcomes.refused_again,
        "without_picture": outcomes.without_picture,
        "calls_per_second": answered / outcomes.elapsed,
        "seconds": {name: outcomes.percentile(share) for name, share in _SHARES.items()} if answered else {},
        "compared": outcomes.compared,
        "changed": outcomes.changed.total(),
        "changed_percent": outcomes.changed_percent,
        "changes": [{"was": was, "is": now, "calls": calls} for (was, now), calls in outcomes.changed.most_common()],
        "objections": objections,
    }


def _print_tables(outcomes: Outcomes, objections: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    answered = len(outcomes.seconds)
    console.print(f"{answered} answers in {outcomes.elapsed:.1f} s, {answered / outcomes.elapsed:.1f} a second")
    if answered:
        console.print(
            ", ".join(f"{name} {outcomes.percentile(share) * 1000:.1f} ms" for name, share in _SHARES.items())
        )
    for error, calls in outcomes.failed.most_common():
        console.print(f"{calls} failed: {error}", style="red")
    if outcomes.refused_again:
        console.print(f"{outcomes.refused_again} were their callers' fault before, and are refused again")
    if outcomes.without_picture:
        console.print(f"{outcomes.without_picture} were kept without their picture, and passed over")
    console.print(
        f"{outcomes.changed.total()} of {outcomes.compared} winners changed ({outcomes.changed_percent:.2f} %)"
    )
    if outcomes.changed:
        table = Table("was", "is", "calls", box=None, pad_edge=False)
        for (was, now), calls in outcomes.changed.most_common(_CHANGES):
            table.add_row(was, now, str(calls))
        console.print(table)
    for objection in objections:
        console.print(f"Fails: {objection}", style="red", soft_wrap=True)
