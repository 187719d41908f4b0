"""tencrop models"""

import click

from serving.client import Access, Client
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
    for model in listed:
        for version, error in model.failures.items():
            click.echo(f"{model.name} {version} is not served: {error}", err=True)
        for label, trouble in model.label_troubles.items():
            click.echo(f"{model.name} label {label} is not where it is wanted: {trouble}", err=True)
