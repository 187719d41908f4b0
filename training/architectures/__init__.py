"""Networks as their papers draw them, one family a file.

A network takes float32 [N, height, width, channels] as they are (scaling is the
trained model's, not the network's) and gives float32 logits [N, classes], under
mixed precision too.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from training.architectures.catalogue import ALIASES, ARCHITECTURES, SMALL_INPUT, Architecture
from training.architectures.options import check_options, known_options
from training.errors import BadRecipe
from training.names import plain, unknown

if TYPE_CHECKING:
    import keras

FAMILIES = {row.name: row for row in ARCHITECTURES}
"""Name of an architecture -> its row of the catalogue."""


def find(name: str) -> Architecture:
    """The row of the architecture that `name` means: "VGG-D", "vgg_d" and "vgg16" are one.

    Raises UnknownName where there is no such architecture.
    """
    meant = {plain(known): known for known in FAMILIES} | ALIASES
    if plain(name) not in meant:
        raise unknown("an architecture", name, FAMILIES, ALIASES)
    return FAMILIES[meant[plain(name)]]


def build(
    name: str, classes: int = 1000, input_shape: tuple[int, int, int] | None = None, **options: Any
) -> keras.Model:
    """The untrained network called `name`, with weights drawn from Keras' global seed.

    `input_shape` is (height, width, channels), the paper's where it is left out (32 x 32 x 3
    for a small stem); `options` are the family's own, described in its module.

    Raises UnknownName where there is no such architecture or option, BadRecipe where an
    option's value or the input's size is not for this network.
    """
    row = find(name)
    builder = _builder(row)
    check_options(row.name, builder, options)
    shape = input_shape or (SMALL_INPUT if options.get("stem") == "small" else row.input_shape)

    def construct(height: int, width: int) -> keras.Model:
        return _whole(builder(row.name, classes, (height, width, shape[2]), **options))

    try:
        return construct(*shape[:2])
    except ValueError as error:
        small = "stem" in known_options(builder) and options.get("stem") != "small"
        raise _too_small(row.name, construct, shape, small) or BadRecipe(
            f"A network is built from options that fit it; {row.name} cannot be from {options}. Correct what Keras "
            f"names: {error}"
        ) from error


def _builder(row: Architecture) -> Callable[..., keras.Model]:
    module, function = row.builder.split(":")
    return getattr(import_module(f"{__name__}.{module}"), function)


def _whole(network: keras.Model) -> keras.Model:
    """`network` itself. Raises ValueError where a layer's maps are empty, as not every version of Keras does."""
    for layer in network.layers:
        if min(layer.output.shape[1:]) < 1:
            raise ValueError(
                f"{layer.name} of {network.name} gives maps of {layer.output.shape[1:]}: give it larger pictures."
            )
    return network


def _too_small(name: str, construct: Callable, shape: tuple[int, int, int], small: bool) -> BadRecipe | None:
    """What to raise where the sides of `shape` are too small for the network; None where they are not.

    `small` says whether a small stem is a way out.
    """
    from training.architectures.outline import smallest_side

    side = smallest_side(lambda side: construct(side, side))
    if side is None or min(shape[:2]) >= side:
        return None
    return BadRecipe(
        f"{name} takes pictures of {side} x {side} pixels and more; {shape[0]} x {shape[1]} came. "
        f"Give it larger ones{' or the option stem=small' if small else ''}."
    )
