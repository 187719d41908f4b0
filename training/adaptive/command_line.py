"""tencrop calibrate"""

from pathlib import Path

import click

from training import data_options

_VIEWS = ("mirror", "five", "ten", "multi-scale", "grid", "inception-144")


@click.command(
    epilog="""\b
Examples:
  tencrop calibrate digits --data digits --hold-out 400
  tencrop calibrate fashion --models models/ --data fashion-mnist --hold-out 6000 --views ten
  tencrop calibrate vgg-a --data pictures/ --agreement 0.99

\b
Then ask for adaptive votes:
  tencrop classify boot.png --views ten --adaptive"""
)
@click.argument("name")
@data_options.data
@click.option(
    "--models",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("models"),
    show_default=True,
    help="Directory with models as NAME/VERSION/ and, maybe, models.yaml.",
)
@click.option(
    "--views", "view_name", type=click.Choice(_VIEWS), default="ten", show_default=True, help="The full vote."
)
@click.option(
    "--agreement",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.995,
    show_default=True,
    help="At least this share of pictures gets the winner of the full vote, with a confidence of 95 %.",
)
@data_options.data_dir
@data_options.hold_out
@data_options.skip_corrupt
def calibrate(
    name: str,
    data_name: str,
    root: Path,
    view_name: str,
    agreement: float,
    data_dir: Path | None,
    hold_out: int | None,
    tolerated: float,
) -> None:
    """Find when a vote of NAME, a model or an ensemble, may end early, and keep it in its card.

    Pictures are the last --hold-out ones of training, which no member may have been trained on (`tencrop train
    --hold-out` leaves them out); then what was found is measured on the test pictures too. Left out, it is found on
    the test pictures, and measured on none.
    """
    from rich.console import Console

    from training.adaptive import report
    from training.adaptive.votes import calibrate_votes

    held_out = data_options.load(data_name, data_dir, hold_out, tolerated)
    test = data_options.load(data_name, data_dir, None, tolerated) if hold_out else None
    found = calibrate_votes(root, name, held_out, test, view_name, agreement)
    console = Console()
    console.print(report.rounds_table(found))
    console.print(report.measured_table(found))
    click.echo(f"Written to {found.path}.")
