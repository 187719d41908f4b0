"""Networks without weights, each outlined once in a run of the tests."""

from functools import cache

import keras

from training import architectures
from training.architectures.outline import outline


@cache
def _outlined(name: str, options: tuple) -> keras.Model:
    return outline(lambda: architectures.build(name, architectures.find(name).classes, **dict(options)))


def outlined(name: str, **options) -> keras.Model:
    """The network called `name` at its paper's input and classes: to be counted, not computed with."""
    return _outlined(name, tuple(sorted(options.items())))


def shape(network: keras.Model, layer: str) -> tuple[int, ...]:
    """What `layer` gives for one picture."""
    return tuple(network.get_layer(layer).output.shape[1:])
