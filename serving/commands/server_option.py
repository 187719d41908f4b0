"""The option that names a server, the same wherever one is asked."""

import click

server_option = click.option(
    "--server",
    default="localhost:8500",
    show_default=True,
    envvar="TENCROP_SERVER",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Where the server listens.",
)
