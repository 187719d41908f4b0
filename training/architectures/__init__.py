"""Networks as their papers draw them, one family a file.

A network takes float32 [N, height, width, channels] as they are (scaling is the
trained model's, not the network's) and gives float32 logits [N, classes], under
mixed precision too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from training.names import unknown

if TYPE_CHECKING:
    import keras

FAMILIES = {"lenet5": "lenet"}
"""Name of an architecture -> the module here that builds it."""


def build(
    name: str, classes: int = 1000, input_shape: tuple[int, int, int] | None = None, **options: Any
) -> keras.Model:
    """The untrained network called `name`, with weights drawn from Keras' global seed.

    `input_shape` is (height, width, channels), the paper's where it is left out;
    `options` are the family's own, described in its module.

    Raises UnknownName where there is no such architecture.
    """
    if name not in FAMILIES:
        raise unknown("an architecture", name, FAMILIES)
    family = import_module(f"{__name__}.{FAMILIES[name]}")
    return family.build(name, classes, input_shape, **options)
