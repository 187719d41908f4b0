"""tencrop models"""

from collections.abc import Iterator

import click

from serving.client import Access, Client
from serving.client.answers import Canary, Model, Shadow
from serving.commands import orders
from serving.commands.access_options import access_options
from serving.commands.server_option import server_option


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  tencrop models --server gpu1:8500
  tencrop models promote lenet5-a 2
  tencrop models rollback lenet5-a""",
)
@server_option
@access_options
@click.pass_context
def models(context: click.Context, server: str, access: Access) -> None:
    """List what a server serves: models with their versions, ensembles with their members; or change it."""
    if context.invoked_subcommand is None:
        _list(server, access)


for order in (orders.load, orders.unload, orders.label, orders.promote, orders.rollback, orders.refresh):
    models.add_command(order)


def _list(server: str, access: Access) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "versions", "labels", "votes with", "vote", "classes", box=None, pad_edge=False)
    with Client(server, access=access) as client:
        listed = client.models()
        for model in listed:
            table.add_row(
                model.name,
                ", ".join(map(str, model.versions)),
                ", ".join(f"{label}={version}" for label, version in model.version_labels.items()),
                " + ".join(f"{name} {version}" for name, version in model.members.items()),
                model.vote,
                str(len(model.labels)),
            )
    Console(highlight=False).print(table)
    for line in (line for model in listed for line in _trials(model)):
        click.echo(line)
    for model in listed:
        for version, error in model.failures.items():
            click.echo(f"{model.name} {version} is not served: {error}", err=True)
        for label, trouble in model.label_troubles.items():
            click.echo(f"{model.name} label {label} is not where it is wanted: {trouble}", err=True)


def _trials(model: Model) -> Iterator[str]:
    """What is on trial of a model, and how it does so far."""
    if model.canary:
        yield f"{model.name} {model.canary.version} is a canary: {_of_canary(model.canary)}"
    if model.shadow:
        yield f"{model.name} {model.shadow.version} is a shadow: {_of_shadow(model.shadow)}"


def _of_canary(canary: Canary) -> str:
    if canary.rolled_back:
        return f"rolled back, it gets no calls: {canary.rolled_back}"
    counted = (
        f"{canary.failed} of {canary.calls} failed, of version {canary.stable_version}'s {canary.stable_failed} of "
        f"{canary.stable_calls}"
    )
    if canary.pairs:
        counted += f"; {canary.disagreed} of {canary.pairs} pictures disagreed"
    return f"{canary.percent:g} % of calls; {counted}"


def _of_shadow(shadow: Shadow) -> str:
    return (
        f"{shadow.percent:g} % of version {shadow.stable_version}'s calls; {shadow.disagreed} of {shadow.pairs} "
        "pictures disagreed"
    )
