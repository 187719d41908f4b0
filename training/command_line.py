"""The subcommands of training. Heavy rooms are entered only when a command runs."""

from pathlib import Path
from typing import Any

import click

from training import data_options, recipes
from training.recipe_options import recipe_options, with_overrides

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
Examples:
  tencrop train lenet5 --data digits --out models/digits
  tencrop train lenet5 --data fashion-mnist --data-dir /usr/share/datasets --out models/boots --seed 3
  tencrop train lenet5 --data pictures/ --out models/mine --epochs 40 --no-mirror --learning-rate 0.02

A run that was interrupted goes on after its last whole epoch when the same command is given again.
Watch it with: tensorboard --logdir runs"""
)
@click.argument("architecture", type=click.Choice(sorted(recipes.RECIPES)))
@data_options.data
@click.option("--out", required=True, type=_PATH, help="The model's directory, models/NAME; gets a new version.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Of all chance in the run."
)
@click.option("--run-dir", type=_PATH, help="For the checkpoint and TensorBoard's logs.  [default: runs/NAME]")
@data_options.data_dir
@data_options.hold_out
@recipe_options
def train(
    architecture: str,
    data_name: str,
    out: Path,
    seed: int,
    run_dir: Path | None,
    data_dir: Path | None,
    hold_out: int | None,
    **overrides: Any,
) -> None:
    """Train ARCHITECTURE on DATA and publish it as a new version of a model.

    The numbers come from the recipe for the architecture and the data set (training/recipes);
    each of the options from --input-side on takes the place of one. The published version
    carries a card with its labels, how pictures are prepared, its measured errors, and the recipe.
    """
    from rich.console import Console

    from training import job

    recipe = with_overrides(recipes.find(architecture, data_name), **overrides)
    run_dir = run_dir or Path("runs", out.resolve().name)
    try:
        published = job.train(recipe, data_options.load(data_name, data_dir, hold_out), seed, out, run_dir, Console())
    except KeyboardInterrupt:
        stopped = click.ClickException(f"Stopped. The same command goes on from the last whole epoch, in {run_dir}.")
        stopped.exit_code = 130  # 128 + SIGINT
        raise stopped from None
    click.echo(f"{published.directory}: top-1 error on {job.summary(published.card)}")


@click.command(
    epilog="""\b
Examples:
  tencrop export mobilenet.keras --labels imagenet.txt --out models/mobilenet --gives probabilities \\
      --mean 127.5 --scale 1/127.5 --shorter-side 256
  tencrop export mine.keras --labels labels.txt --out models/mine --gives logits --scale 1/255"""
)
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--labels",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A text file with the name of one class a line, in class order.",
)
@click.option("--out", required=True, type=_PATH, help="The model's directory, models/NAME; gets a new version.")
@click.option("--gives", required=True, type=click.Choice(["logits", "probabilities"]), help="What its output is.")
@click.option(
    "--mean",
    default="0",
    show_default=True,
    metavar="M[,M,M]",
    help="Taken off the samples (0 to 255) first; one number, or one a channel.",
)
@click.option("--scale", default="1", show_default=True, help="What they are then multiplied by, 1/255 say.")
@click.option(
    "--shorter-side",
    type=click.IntRange(min=1),
    help="Pictures are resized to it before cropping.  [default: the input's longer side]",
)
@click.option(
    "--margin",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Black pixels added on every side before cropping.",
)
def export(
    model: Path, labels: Path, out: Path, gives: str, mean: str, scale: str, shorter_side: int | None, margin: int
) -> None:
    """Publish MODEL, a .keras file trained elsewhere, as a new version that can be served.

    It takes one picture tensor [batch, height, width, 1 or 3] of fixed size and gives one
    score a class. Leave --mean and --scale out where the model scales samples from 0 to 255 itself.
    """
    from training import adopt

    click.echo(
        adopt.publish_keras(
            model,
            labels=_read_labels(labels),
            directory=out,
            gives=gives,
            mean=[_number(each, "--mean") for each in mean.split(",")],
            scale=_number(scale, "--scale"),
            shorter_side=shorter_side,
            margin=margin,
        )
    )


def _read_labels(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text("utf-8-sig").splitlines())  # -sig: some editors begin a file with a mark
    except UnicodeDecodeError as error:
        raise click.BadParameter(
            f"A labels file is text in UTF-8; {path} is not, from byte {error.start} on. Save it as UTF-8.",
            param_hint="--labels",
        ) from None


def _number(text: str, flag: str) -> float:
    """ "0.5" or "1/127.5" as a number."""
    above, _, below = text.partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"A number is like 0.5 or 1/255; {text!r} came.", param_hint=flag) from None
