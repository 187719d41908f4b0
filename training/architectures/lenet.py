"""LeNet-5: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to
Document Recognition", section II.B, in its modern form: every map of C3 sees every map
of S2, pooling has no weights, and the output is a plain linear layer.

At 32x32x1 and 10 classes it has 61,706 parameters.
"""

from typing import NamedTuple

import keras
from keras import layers


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


def build(
    name: str, classes: int, input_shape: tuple[int, int, int] | None = None, activation: str = "tanh"
) -> keras.Model:
    """LeNet-5. `activation` follows every convolution and hidden dense layer; the paper's is a scaled tanh."""
    inputs = keras.Input(input_shape or (32, 32, 1), name="pictures")
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
