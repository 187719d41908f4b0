"""tencrop quantize"""

from pathlib import Path

import click

from training import data_options

_PACKAGES = ("nncf", "openvino")


@click.command(
    epilog="""\b
Examples:
  tencrop quantize models/lenet5-a --data digits
  tencrop quantize models/resnet50/1 --data pictures/ --pictures 1000

\b
The new version is served in 8 bits by OpenVINO. To have float32 back, in models.yaml:
  models:
    lenet5-a: {precision: float32}"""
)
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@data_options.data
@click.option(
    "--pictures",
    default=300,
    show_default=True,
    type=click.IntRange(min=1),
    help="So many training pictures, by their centre views, say how wide the ranges are that 8 bits cover.",
)
@data_options.data_dir
@data_options.hold_out
@data_options.skip_corrupt
def quantize(
    model: Path, data_name: str, pictures: int, data_dir: Path | None, hold_out: int | None, tolerated: float
) -> None:
    """Publish MODEL (models/NAME, or one version of it) in 8 bits, as a new version with errors of its own.

    The data is what the model was trained on. Training pictures say how wide ranges are; the pictures to measure
    on, which have no part in that, say what 8 bits cost.
    """
    from importlib import util

    missing = [package for package in _PACKAGES if util.find_spec(package) is None]
    if missing:
        raise click.UsageError(
            f"Quantising needs {' and '.join(missing)}, which is not installed: pip install 'tencrop[quantization]'."
        )
    from serving.models import card as cards
    from training.job import summary
    from training.quantize import publish_quantized

    data = data_options.load(data_name, data_dir, hold_out, tolerated)
    published = publish_quantized(model, data, pictures)
    card = cards.read(published)
    click.echo(f"{published}: top-1 error in int8 on {summary(card)}")
    before = cards.read(published.with_name(str(card.quantization.of_version)))
    same = [each for each in before.measurements if each.data_set == card.measurements[0].data_set]
    if same:
        click.echo(f"{published.with_name(str(card.quantization.of_version))}: in float32 on {summary(before)}")
