"""tencrop classify"""

import dataclasses
import json
import sys

import click

from serving.client import VIEWS, VOTES, Access, Answer, Box, Client, Picture
from serving.commands.access_options import access_options
from serving.commands.server_option import server_option
from serving.errors import TencropError, Unavailable

_BAR = 24


def _read_boxes(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> list[Box]:
    return [_read_box(text) for text in texts]


def _read_box(text: str) -> Box:
    """ "0,0,0.5,1" as numbers."""
    try:
        top, left, bottom, right = (float(each) for each in text.split(","))
    except ValueError:
        raise click.BadParameter(f"A box is four numbers from 0 to 1, 0,0,0.5,1 say; {text!r} came.") from None
    return top, left, bottom, right


@click.command(
    epilog="""\b
Examples:
  tencrop classify boot.png
  tencrop classify pictures/*.jpg --model digits --views ten --server gpu1:8500
  tencrop classify street.jpg --box 0.1,0.2,0.6,0.5 --box 0,0,1,1
  tencrop classify *.png --json | jq -r '[.picture, .predictions[0].label] | @tsv'
  convert photo.heic png:- | tencrop classify -

Exits with 1 where a picture could not be classified; the others still are, unless no server answers."""
)
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@server_option
@access_options
@click.option("--model", default="", help="A model or an ensemble.  [default: the only ensemble, or the only model]")
@click.option("--version", type=click.IntRange(1, 2**63 - 1), help="A version of the model.  [default: the newest]")
@click.option("--label", "version_label", help="A version by its label, production say.")
@click.option("--views", type=click.Choice(VIEWS), help="Which views vote.  [default: single, or the boxes if any]")
@click.option(
    "--box",
    "boxes",
    multiple=True,
    callback=_read_boxes,
    metavar="T,L,B,R",
    help="A part of the picture that votes: top, left, bottom, right, from 0 to 1. May be repeated.",
)
@click.option("--vote", type=click.Choice(VOTES), help="How they vote.  [default: the model's own]")
@click.option("--top-k", type=click.IntRange(0, 2**32 - 1), help="How many labels to show.  [default: 5]")
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="Name no label where the winner's probability is below P.",
)
@click.option("--adaptive", is_flag=True, help="No more views and models than decide the vote, where calibrated.")
@click.option("--min-views", type=click.Choice(VIEWS), help="As few as this are better than to be refused.")
@click.option("--bulk", is_flag=True, help="Let pictures that somebody waits for go first.")
@click.option(
    "--timeout", type=click.FloatRange(0.001, 86400), default=10.0, show_default=True, help="Seconds a picture."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead of a table.")
def classify(pictures: tuple[str, ...], server: str, access: Access, timeout: float, as_json: bool, **question) -> None:
    """Ask a server what is in each PICTURE, a file, or - for standard input."""
    from rich.console import Console

    failed = False
    console = Console(highlight=False)
    with Client(server, timeout, access) as client:
        for name in pictures:
            try:
                answer = client.classify(_read(name), **question)
            except (TencropError, OSError) as error:
                failed = True
                _say_failure(name, error, as_json)
                if isinstance(error, Unavailable):
                    break  # the next picture would fail by the same
            else:
                click.echo(_json_line(name, answer)) if as_json else _print_table(console, name, answer)
    sys.exit(1 if failed else 0)


def _read(name: str) -> Picture:
    return sys.stdin.buffer.read() if name == "-" else name


def _say_failure(name: str, error: Exception, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"picture": name, "error": str(error)}))
    else:
        click.echo(f"{name}: {error}", err=True)


def _json_line(name: str, answer: Answer) -> str:
    fields = dataclasses.asdict(answer)
    return json.dumps(
        {
            "picture": name,
            "label": answer.label,
            **{key: each for key, each in fields.items() if each not in ({}, (), "")},
        }
    )


def _print_table(console, name: str, answer: Answer) -> None:
    from rich.table import Table

    answered_by = ", ".join(f"{model} {version}" for model, version in answer.model_versions.items())
    console.print(f"{name}  ({answer.views} of {answered_by})", markup=False, style="bold", soft_wrap=True)
    if answer.abstained:
        console.print(f"Abstains: {answer.abstained}", markup=False, style="yellow", soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for prediction in answer.predictions:
        bar = "█" * round(prediction.probability * _BAR)
        table.add_row(prediction.label, f"{prediction.probability:6.1%}", bar.ljust(_BAR, "·"))
    console.print(table)
