"""tencrop serve"""

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from serving import logs, tracing
from serving.settings import Settings
from serving.startup import Startup


def _setting_options(command):
    """Gives `command` an option for each setting; one that is left out is None, and left to the environment."""
    for name, field in reversed(Settings.model_fields.items()):
        default = field.get_default(call_default_factory=True)
        kind = "PATH" if default is None else type(default).__name__.removeprefix("Posix").upper()
        command = click.option(
            f"--{name.replace('_', '-')}",
            metavar=kind,
            help=f"{field.description}  [default: {default}; env: TENCROP_{name.upper()}]",
        )(command)
    return command


@click.command(
    epilog="""\b
Examples:
  tencrop serve
  tencrop serve --models /srv/models --host 0.0.0.0
  TENCROP_DRAIN_SECONDS=5 tencrop serve

Ensembles and labels are declared in models.yaml, beside the models:

\b
  ensembles:
    digits:
      members: [{model: lenet5-a}, {model: lenet5-b, weight: 2}]
      vote: mean-probability
  labels:
    lenet5-a: {production: 1}

SIGTERM ends the server without losing a call."""
)
@_setting_options
def serve(**given: Any) -> None:
    """Serve every model below a directory, and the ensembles declared there, until SIGTERM.

    Models are loaded, held against their cards, and warmed up; then calls are answered on the gRPC
    port, and /metrics, /healthz and /readyz on the HTTP port. The log says where the seconds until
    then went.
    """
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        if not wrong["loc"]:  # of several settings together
            raise click.UsageError(f"{wrong['msg'].removeprefix('Value error, ')}.") from None
        name = str(wrong["loc"][0]).lower().removeprefix("tencrop_")
        option = f"--{name.replace('_', '-')}"
        raise click.BadParameter(f"{wrong['msg']}; {wrong['input']!r} came.", param_hint=option) from None
    logs.configure(settings.log_format)
    try:
        tracing.configure()
    except ImportError as error:
        raise click.ClickException(str(error)) from None
    from serving.configured import with_models

    with with_models(settings) as settings:
        _serve(settings)


def _serve(settings: Settings) -> None:
    click.echo(f"Loading models from {settings.models} ...")
    startup = Startup(time.monotonic)
    from serving import main  # all that serves, and seconds of it

    startup.ended("imports")
    if asyncio.run(main.serve(settings, startup, lambda server: _announce(server, settings))):
        click.echo("Stopped: every call was answered or refused.")
    else:
        click.echo("Stopped, but a model still hangs in its last batch; left without waiting for it.", err=True)
        os._exit(0)  # an ordinary exit would join the thread that hangs


def _announce(server, settings: Settings) -> None:
    """Says what is served, and two lines to try."""
    from rich.console import Console
    from rich.table import Table

    from serving.doors.messages import to_list

    table = Table("name", "version", "votes with", "classes", box=None, pad_edge=False)
    listed = to_list(server.repository).models
    for model in listed:
        members = " + ".join(member.model_version.name for member in model.members)
        table.add_row(model.name, ", ".join(map(str, model.versions)), members, str(len(model.labels)))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"\ngRPC on {settings.host}:{server.grpc_port}, metrics on http://{settings.host}:{server.http_port}/metrics\n"
        f"{settings.engine_threads} threads an operation of a network, {settings.decoding_threads} that decode pictures"
    )
    best = next((model.name for model in listed if model.members), listed[0].name)
    where = "" if server.grpc_port == 8500 else f" --server localhost:{server.grpc_port}"
    console.print("\nTry, in another terminal:")
    console.print(
        f"  {_program()} classify {_picture()} --model {best} --views ten{where}", markup=False, soft_wrap=True
    )
    console.print(f"  {_program()} models{where}", soft_wrap=True)


def _program() -> str:
    """How this program is called from here: by its name where the shell finds it, else by its path."""
    called = Path(sys.argv[0])
    return called.name if shutil.which(called.name) else str(called)


def _picture() -> str:
    """A picture to try: the first of those that `make serve` writes, or else whichever the reader has."""
    return str(min(Path("pictures").glob("*/*.png"), default="PICTURE..."))
