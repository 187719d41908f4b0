"""tencrop export: a model of the user's, or published weights in one of our networks, becomes a version."""

from pathlib import Path
from typing import Any

import click

from training.preprocessing import PRESETS, Preprocessing
from training.recipe_options import architecture_options

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="""\b
Examples:
  tencrop export mobilenet.keras --labels imagenet.txt --gives probabilities --preprocessing symmetric
  tencrop export mine.keras --labels labels.txt --gives logits --scale 1/255 --shorter-side 256 --out models/mine
  tencrop export mine.keras --code layers.py --code mine.py --labels labels.txt --gives logits --crop 224
  tencrop export resnet50 --weights resnet50-0676ba61.pth --labels imagenet.txt
  tencrop export resnet50 --weights mine.keras --option v1_5=true --preprocessing unit --labels labels.txt

\b
Presets of --preprocessing, for samples from 0 to 255:
  none       as they are: the model scales them itself
  unit       / 255: from 0 to 1
  symmetric  / 127.5 - 1: from -1 to 1; keras.applications' mode "tf"
  torch      / 255, minus ImageNet's mean, over its deviation; torchvision, and keras.applications' mode "torch"
  caffe      minus ImageNet's mean, blue first; keras.applications' mode "caffe\""""
)
@click.argument("source")
@click.option(
    "--labels", required=True, type=_FILE, help="A text file with the name of one class a line, in class order."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The model's directory, models/NAME; gets a new version.  [default: NAME is SOURCE's, without .keras]",
)
@click.option("--gives", type=click.Choice(["logits", "probabilities"]), help="What a .keras file's output is.")
@click.option("--weights", type=_FILE, help="Whose weights ARCHITECTURE gets: .pth, .keras, .weights.h5 or .h5.")
@architecture_options("An option that ARCHITECTURE was built with, bn_epsilon=1e-3 say; may be repeated.")
@click.option(
    "--preprocessing",
    type=click.Choice(list(PRESETS)),
    help="How samples become what the model was trained on.  [default: none; with --weights, as where they come from]",
)
@click.option(
    "--mean",
    metavar="M[,M,M]",
    help="Taken off the samples first, in place of the preset's; one number or one a channel.",
)
@click.option(
    "--scale", metavar="S[,S,S]", help="What they are then multiplied by, 1/255 say, in place of the preset's."
)
@click.option(
    "--channels", type=click.Choice(["rgb", "bgr"]), help="Their order, of --mean too, in place of the preset's."
)
@click.option(
    "--shorter-side",
    type=click.IntRange(min=1),
    help="Pictures are resized to it before cropping.  [default: the input's longer side; with --weights, 8/7 of it]",
)
@click.option("--crop", type=click.IntRange(min=1), help="The side of the input, where the model leaves that open.")
@click.option(
    "--margin",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Black pixels added on every side before cropping.",
)
@click.option(
    "--code",
    type=_FILE,
    multiple=True,
    help="A Python file that defines what in the .keras file is not Keras': layers, a subclassed model. It is run. "
    "May be repeated.",
)
def export(
    source: str,
    labels: Path,
    out: Path | None,
    gives: str | None,
    weights: Path | None,
    options: dict[str, Any],
    preprocessing: str | None,
    mean: str | None,
    scale: str | None,
    channels: str | None,
    shorter_side: int | None,
    crop: int | None,
    margin: int,
    code: tuple[Path, ...],
) -> None:
    """Publish SOURCE as a new version that can be served, and print its directory.

    SOURCE is a .keras file trained elsewhere, functional, sequential or subclassed, that takes
    pictures [batch, height, width, 1 or 3] and gives one score a class, as --gives says. Or it is
    the name of one of our architectures, with published weights: torchvision's .pth, a file of
    keras.applications, or what such a network was saved to.
    """
    from training import adopt

    file = Path(source)
    target = adopt.Target(out or Path("models", file.stem), _read_labels(labels), shorter_side, margin)
    numbers = {
        "mean": mean and _numbers(mean, "--mean"),
        "scale": scale and _numbers(scale, "--scale"),
        "channels": channels,
    }
    if weights is None:
        _check_file(file, gives, options)
        prepared = _prepared(preprocessing or "none", numbers)
        click.echo(adopt.publish_keras(file, target, gives=gives, prepared=prepared, crop=crop, code=code))
    else:
        _check_architecture(gives, code)
        preset = preprocessing or adopt.weights.variant(source, weights).preprocessing
        published, report = adopt.publish_weights(
            source, weights, target, prepared=_prepared(preset, numbers), options=options, crop=crop
        )
        click.echo(report, err=True)
        click.echo(published)


def _check_file(file: Path, gives: str | None, options: dict[str, Any]) -> None:
    if not file.is_file():
        raise click.UsageError(f"SOURCE is a .keras file, or an architecture with --weights; there is no file {file}.")
    if gives is None:
        raise click.UsageError("A .keras file does not say what its output is: give --gives logits or probabilities.")
    if options:
        raise click.UsageError("A .keras file holds its network as it was built: leave out --option.")


def _check_architecture(gives: str | None, code: tuple[Path, ...]) -> None:
    if gives == "probabilities" or code:
        raise click.UsageError(
            "With --weights a network of ours is built, which gives logits: leave out --gives and --code."
        )


def _prepared(preset: str | None, numbers: dict[str, Any]) -> Preprocessing:
    """The preset, with the `numbers` that are given in the place of its own."""
    if preset is None:
        raise click.UsageError(
            "A network is fed as it was trained, which this file does not say: give --preprocessing."
        )
    return PRESETS[preset]._replace(**{name: value for name, value in numbers.items() if value is not None})


def _read_labels(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text("utf-8-sig").splitlines())  # -sig: some editors begin a file with a mark
    except UnicodeDecodeError as error:
        raise click.BadParameter(
            f"A labels file is text in UTF-8; {path} is not, from byte {error.start} on. Save it as UTF-8.",
            param_hint="--labels",
        ) from None


def _numbers(text: str, flag: str) -> tuple[float, ...]:
    """ "0.5" or "1/127.5,1/127.5,1/128" as numbers."""
    return tuple(_number(each, flag) for each in text.split(","))


def _number(text: str, flag: str) -> float:
    above, _, below = text.partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"A number is like 0.5 or 1/255; {text!r} came.", param_hint=flag) from None
