"""LeNet-5: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to
Document Recognition", section II.B.

"lenet5" is its modern form: every map of C3 sees every map of S2, pooling has no weights, and
the output is a plain linear layer. At 32x32x1 and 10 classes it has 61,706 parameters.
"lenet5-1998" is the paper's own, of 60,000.
"""

from typing import NamedTuple

import keras
from keras import layers

from training.architectures.layers_of_1998 import (
    ConnectedConv2D,
    NegativeDistance,
    Subsampling,
    scaled_tanh,
    uniform,
)


class Convolution(NamedTuple):
    """`maps` filters of `side` x `side`, without padding."""

    name: str
    maps: int
    side: int


class Pooling(NamedTuple):
    """The largest of each `side` x `side`, without overlap."""

    name: str
    side: int


class Dense(NamedTuple):
    name: str
    units: int


LENET5 = (
    Convolution("c1", 6, 5),
    Pooling("s2", 2),
    Convolution("c3", 16, 5),
    Pooling("s4", 2),
    Dense("c5", 120),
    Dense("f6", 84),
)

TABLE_1 = (
    # The maps of S2 that each map of C3 sees.
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def build(name: str, classes: int, input_shape: tuple[int, int, int], *, activation: str = "tanh") -> keras.Model:
    """LeNet-5. `activation` follows every convolution and hidden dense layer; the paper's is a scaled tanh."""
    inputs = keras.Input(input_shape, name="pictures")
    x = inputs
    for row in LENET5:
        match row:
            case Convolution():
                x = layers.Conv2D(row.maps, row.side, activation=activation, name=row.name)(x)
            case Pooling():
                x = layers.MaxPooling2D(row.side, name=row.name)(x)
            case Dense():
                x = x if x.ndim == 2 else layers.Flatten()(x)
                x = layers.Dense(row.units, activation=activation, name=row.name)(x)
    logits = layers.Dense(classes, dtype="float32", name="output")(x)
    return keras.Model(inputs, logits, name=name)


def build_1998(name: str, classes: int, input_shape: tuple[int, int, int]) -> keras.Model:
    """LeNet-5 as printed: trainable subsampling, C3's table of connections, a scaled tanh after every layer,
    and logits that are distances from fixed codes, negated.
    """
    squashed = {"activation": scaled_tanh}
    inputs = keras.Input(input_shape, name="pictures")
    x = layers.Conv2D(6, 5, kernel_initializer=uniform(25 * input_shape[-1]), name="c1", **squashed)(inputs)
    x = Subsampling(name="s2")(x)
    x = ConnectedConv2D(TABLE_1, 5, name="c3")(x)
    x = Subsampling(name="s4")(x)
    x = layers.Conv2D(120, 5, kernel_initializer=uniform(25 * 16), name="c5", **squashed)(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, kernel_initializer=uniform(x.shape[-1]), name="f6", **squashed)(x)
    return keras.Model(inputs, NegativeDistance(classes, name="output")(x), name=name)
