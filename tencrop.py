"""The front door: one command. A subcommand's room is entered only when it is called."""

import importlib
import sys

import click

from serving.errors import TencropError

# Name to "module:command" and the line that the list of commands shows.
COMMANDS = {
    "train": ("training.command_line:train", "Train a network and publish it as a model."),
    "evaluate": ("training.evaluate_command:evaluate", "Measure models, their views and their ensemble."),
    "export": ("training.export_command:export", "Publish a Keras model of your own, or published weights."),
    "calibrate": ("training.adaptive.command_line:calibrate", "Find when a vote over views and models may end early."),
    "quantize": ("training.quantize_command:quantize", "Publish a model in 8 bits, as a new version."),
    "architectures": ("training.architectures.command_line:architectures", "List the networks of the papers."),
    "records": ("training.records_command:records", "Write a folder of pictures as TFRecords."),
    "serve": ("serving.commands.serve:serve", "Serve models over gRPC."),
    "classify": ("serving.commands.classify:classify", "Ask a server what is in a picture."),
    "replay": ("serving.commands.replay:replay_command", "Ask a server again what another was asked, and compare."),
    "models": ("serving.commands.models:models", "List what a server serves."),
}


class LazyCommands(click.Group):
    """A group whose commands are imported when they are called, and not to be listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, command = COMMANDS[name][0].split(":")
        return getattr(importlib.import_module(module), command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command(
    cls=LazyCommands,
    epilog="""\b
The shortest way through all of it:
  tencrop train lenet5 --data digits --out models/digits
  tencrop serve --models models
  tencrop classify picture.png --views ten

tencrop COMMAND --help explains a command.""",
)
@click.version_option(package_name="tencrop")
def tencrop() -> None:
    """From a Keras training recipe to a gRPC service that votes over many views and many networks."""


def main() -> None:
    """Runs the command line; what is wrong with a request is said in one line, and not as a stack trace."""
    try:
        tencrop()
    except (TencropError, OSError) as error:
        sys.exit(f"tencrop: {error}")


if __name__ == "__main__":
    main()
