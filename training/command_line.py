"""The subcommands of training. Heavy rooms are entered only when a command runs."""

from pathlib import Path
from typing import Any

import click

from training import data_options, recipes
from training.architectures import find
from training.recipe_options import recipe_options, with_overrides

_PATH = click.Path(path_type=Path)


@click.command(
    epilog="""\b
Examples:
  tencrop train resnet20 --data fashion-mnist
  tencrop train vgg-d --data pictures/ --variant smoke
  tencrop train resnet50 --data pictures/ --init resnet50-0676ba61.pth --epochs 10 --learning-rate 0.01
  tencrop train lenet5 --data fashion-mnist --data-dir /usr/share/datasets --out models/boots --seed 3
  tencrop train lenet5 --data pictures/ --out models/mine --epochs 40 --no-mirror --learning-rate 0.02

A run that was interrupted goes on from its last checkpoint when the same command is given again.
Watch it with: tensorboard --logdir runs"""
)
@click.argument("architecture")
@data_options.data
@click.option(
    "--out", type=_PATH, help="The model's directory; gets a new version.  [default: models/ARCHITECTURE-DATA]"
)
@click.option(
    "--variant",
    type=click.Choice(recipes.VARIANTS),
    default="paper",
    show_default=True,
    help="The recipe: the paper's (or ours, where it says so), with the lecture's figures, or one step to see that "
    "everything fits.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Of all chance in the run."
)
@click.option(
    "--init",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Weights to begin with: torchvision's .pth, or a .keras or .h5 file of keras.applications or of this "
    "architecture. A classifier of other classes begins as drawn.",
)
@click.option("--run-dir", type=_PATH, help="For the checkpoint and TensorBoard's logs.  [default: runs/NAME]")
@data_options.data_dir
@data_options.hold_out
@data_options.skip_corrupt
@recipe_options
def train(
    architecture: str,
    data_name: str,
    out: Path | None,
    variant: str,
    seed: int,
    init: Path | None,
    run_dir: Path | None,
    data_dir: Path | None,
    hold_out: int | None,
    tolerated: float,
    **overrides: Any,
) -> None:
    """Train ARCHITECTURE on DATA and publish it as a new version of a model.

    `tencrop architectures` lists the architectures. The numbers come from the recipe for the
    architecture and the data set (training/recipes); each of the options from --input-side on takes
    the place of one. The published version carries a card with its labels, how pictures are
    prepared, its measured errors, and the recipe.
    """
    from rich.console import Console

    from training import job, ledger

    architecture = find(architecture).name
    recipe = recipes.find(architecture, data_name, variant)
    if init:
        from training import weights

        recipe = with_overrides(recipe, weights.variant(architecture, init).options)
    recipe = with_overrides(recipe, **overrides)
    out = out or Path("models", f"{architecture}-{Path(data_name).name}")
    run_dir = run_dir or Path("runs", out.resolve().name)
    try:
        data = data_options.load(data_name, data_dir, hold_out, tolerated)
        published = job.train(recipe, data, seed, out, run_dir, Console(), init)
    except KeyboardInterrupt:
        stopped = click.ClickException(f"Stopped. The same command goes on from the checkpoint in {run_dir}.")
        stopped.exit_code = 130  # 128 + SIGINT
        raise stopped from None
    if published:
        click.echo(f"{published.directory}: top-1 error on {job.summary(published.card)}")
        click.echo(f"History and curves are in {run_dir}, and a line in {run_dir.parent / ledger.NAME}.")
