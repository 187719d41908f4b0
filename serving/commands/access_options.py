"""The options by which a command is let in by a server, the same wherever one is asked."""

import functools
from collections.abc import Callable
from typing import Any

import click

from serving.client import Access

_PATH = click.Path(exists=True, dir_okay=False)


def access_options(command: Callable) -> Callable:
    """Gives `command` the options, and calls it with `access` in their place."""

    @click.option(
        "--token",
        default="",
        envvar="TENCROP_TOKEN",
        show_envvar=True,
        help="What the server knows you by. Better in the variable: others may see a command line.",
    )
    @click.option(
        "--tls-ca",
        type=_PATH,
        envvar="TENCROP_TLS_CA",
        show_envvar=True,
        help="PEM file with the authority of the server's certificate; without it no TLS is spoken.",
    )
    @click.option("--tls-certificate", type=_PATH, help="PEM file with a certificate to show.")
    @click.option("--tls-key", type=_PATH, help="PEM file with its key.")
    @functools.wraps(command)
    def called(token: str, tls_ca: str | None, tls_certificate: str | None, tls_key: str | None, **others: Any) -> Any:
        return command(access=Access(token, tls_ca, tls_certificate, tls_key), **others)

    return called
