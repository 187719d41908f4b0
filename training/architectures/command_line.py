"""tencrop architectures"""

import click

from training import recipes
from training.architectures import Architecture, catalogue

_WIDTH = 140  # so that no row is broken where the output goes into a file


@click.command(
    epilog="""\b
Examples:
  tencrop architectures
  tencrop architectures vgg-d"""
)
@click.argument("name", required=False)
def architectures(name: str | None) -> None:
    """List the networks of the papers; of NAME alone, its layers.

    Parameters are the trainable ones, multiply-adds those of one picture at the paper's input. Errors
    are in percent as published, top-1 / top-5 on ImageNet's validation pictures unless another set is
    named. The recipe is its paper's: epochs x pictures a step, the learning rate and how it falls. A
    layer's field is the side of the square of input pixels that one of its values depends on, and its
    stride how far apart these squares lie.
    """
    from rich.console import Console

    from training.architectures import find

    table = _layers(find(name)) if name else _list()
    Console(width=_WIDTH, highlight=False).print(table)


def _list():
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("name")
    for heading in ("year", "input", "parameters", "multiply-adds"):
        table.add_column(heading, justify="right")
    table.add_column("published errors %")
    table.add_column("recipe")
    for row in catalogue.ARCHITECTURES:
        table.add_row(
            row.name,
            str(row.year),
            _sides(row.input_shape),
            f"{row.parameters:,}",
            f"{row.multiply_adds:,}",
            row.errors or "–",
            _recipe(row.name),
        )
    return table


def _recipe(name: str) -> str:
    recipe = recipes.find(name, "directory")
    return f"{recipe.epochs} x {recipe.batch_size}, {recipe.learning_rate:g} {recipe.schedule}"


def _layers(architecture: Architecture):
    from rich.table import Table

    from serving.models.engines.quiet import chatter_kept_back
    from training.architectures import build

    with chatter_kept_back():
        from training.architectures.cost import layer_table
        from training.architectures.outline import outline

        network = outline(lambda: build(architecture.name, architecture.classes))
    table = Table(box=None, pad_edge=False)
    for heading in ("layer", "kind"):
        table.add_column(heading)
    for heading in ("output", "parameters", "multiply-adds", "field", "stride"):
        table.add_column(heading, justify="right")
    for row in layer_table(network):
        side, stride = row.field
        counts = [f"{count:,}" if count else "" for count in (row.parameters, row.multiply_adds)]
        table.add_row(row.name, row.kind, _sides(row.shape), *counts, str(side), str(stride or ""))
    table.add_section()
    totals = [f"{count:,}" for count in (architecture.parameters, architecture.multiply_adds)]
    table.add_row("total", "", "", *totals, "", "")
    return table


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
