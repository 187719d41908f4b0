"""tencrop models load, unload, label, promote, rollback, refresh"""

import click

from serving.client import Access
from serving.client.administration import AdministrationClient, Standing
from serving.commands.access_options import access_options

_admin_option = click.option(
    "--admin",
    default="localhost:8502",
    show_default=True,
    envvar="TENCROP_ADMIN",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Where the server takes administrators' calls.",
)
_model_argument = click.argument("model")


@click.command()
@_model_argument
@click.argument("version", type=click.IntRange(min=1), required=False)
@_admin_option
@access_options
def load(model: str, version: int | None, admin: str, access: Access) -> None:
    """Load a version, or try again what failed, and wait until it is ready."""
    with AdministrationClient(admin, access=access) as client:
        _say(model, client.load(model, version))


@click.command()
@_model_argument
@click.argument("version", type=click.IntRange(min=1), required=False)
@_admin_option
@access_options
def unload(model: str, version: int | None, admin: str, access: Access) -> None:
    """Unload a version, or all of a model."""
    with AdministrationClient(admin, access=access) as client:
        _say(model, client.unload(model, version))


@click.command()
@_model_argument
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1), required=False)
@_admin_option
@access_options
def label(model: str, name: str, version: int | None, admin: str, access: Access) -> None:
    """Give a label to a version; without a version, take it back."""
    with AdministrationClient(admin, access=access) as client:
        _say(model, client.set_label(model, name, version) if version else client.remove_label(model, name))


@click.command()
@_model_argument
@click.argument("version", type=click.IntRange(min=1))
@_admin_option
@access_options
def promote(model: str, version: int, admin: str, access: Access) -> None:
    """Give the label production to a version."""
    with AdministrationClient(admin, access=access) as client:
        _say(model, client.promote(model, version))


@click.command()
@_model_argument
@_admin_option
@access_options
def rollback(model: str, admin: str, access: Access) -> None:
    """Give production back to the version that had it before the last promotion."""
    with AdministrationClient(admin, access=access) as client:
        _say(model, client.roll_back(model))


@click.command()
@click.argument("model", default="")
@_admin_option
@access_options
def refresh(model: str, admin: str, access: Access) -> None:
    """Look for new versions now, of a model or of all, and say what was found."""
    with AdministrationClient(admin, access=access) as client:
        found = client.refresh(model)
    lines = [f"{name} {version}  new" for name, version in found.appeared]
    lines += [f"{name} {version}  gone" for name, version in found.gone]
    lines += [f"{name} {version}  waits  {reason}" for (name, version), reason in found.waiting.items()]
    click.echo("\n".join(lines or ["nothing new"]))


def _say(model: str, standing: Standing) -> None:
    """How the model stands now, a line a version."""
    for version in standing.versions:
        labels = [name for name, labelled in standing.labels.items() if labelled == version.version]
        click.echo("  ".join([f"{model} {version.version}", version.state, *labels, *filter(None, [version.error])]))
    for name, trouble in standing.label_troubles.items():
        click.echo(f"{model} label {name} is not where it is wanted: {trouble}", err=True)
