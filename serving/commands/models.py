"""tencrop models"""

import click

from serving.access import Access
from serving.client import Client
from serving.commands.access_options import access_options
from serving.commands.server_option import server_option


@click.command(
    epilog="""\b
Example:
  tencrop models --server gpu1:8500"""
)
@server_option
@access_options
def models(server: str, access: Access) -> None:
    """List what a server serves: models with their versions, ensembles with their members."""
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "versions", "labels", "votes with", "vote", "classes", box=None, pad_edge=False)
    with Client(server, access=access) as client:
        for model in client.models():
            table.add_row(
                model.name,
                ", ".join(map(str, model.versions)),
                ", ".join(f"{label}={version}" for label, version in model.version_labels.items()),
                " + ".join(f"{name} {version}" for name, version in model.members.items()),
                model.vote,
                str(len(model.labels)),
            )
    Console(highlight=False).print(table)
