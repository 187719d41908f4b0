"""AlexNet: Krizhevsky, Sutskever and Hinton 2012, "ImageNet Classification with Deep
Convolutional Neural Networks", section 3 and Figure 2.

At 227x227x3 and 1000 classes it has 60,965,224 parameters in the paper's two groups and
62,378,344 without groups. The paper says 224, which its own numbers of neurons contradict.
"""

from typing import Literal, NamedTuple

import keras
from keras import layers
from keras.initializers import Constant

from training.architectures.layers import (
    LRN,
    NORMAL_001,
    GroupedConv2D,
    Stem,
    classify_densely,
    first_weights,
    max_pool,
    normalise,
    thinned,
)


class Convolution(NamedTuple):
    """A convolution and ReLU, then normalisation over maps and 3x3/2 pooling where they are said.

    `bias` is what its biases begin at (section 5).
    """

    name: str
    maps: int
    side: int
    stride: int = 1
    groups: int = 1
    bias: float = 0.0
    normalised: bool = False
    pooled: bool = False


ALEXNET = (
    Convolution("conv1", 96, 11, stride=4, normalised=True, pooled=True),
    Convolution("conv2", 256, 5, groups=2, bias=1.0, normalised=True, pooled=True),
    Convolution("conv3", 384, 3),
    Convolution("conv4", 384, 3, groups=2, bias=1.0),
    Convolution("conv5", 256, 3, groups=2, bias=1.0, pooled=True),
)
SMALL_CONV1 = Convolution("conv1", 96, 5, normalised=True)  # ours, not the paper's


def build(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    groups: Literal[1, 2] = 2,
    lrn: LRN = "paper",
    stem: Stem = "paper",
    width: float = 1.0,
    fc_width: int = 4096,
    dropout: float = 0.5,
) -> keras.Model:
    """AlexNet. `groups` are the paper's two GPUs in conv2, conv4 and conv5; 1 joins them.

    `width` is ours, as in every family: the share of the paper's maps that a convolution makes.
    """
    first = SMALL_CONV1 if stem == "small" else ALEXNET[0]
    weights = first_weights(stem, NORMAL_001)
    inputs = keras.Input(input_shape, name="pictures")
    x = inputs
    for row in (first, *ALEXNET[1:]):
        x = _convolve(x, row, thinned(row.maps, width), min(row.groups, groups), weights)
        number = row.name.removeprefix("conv")
        if row.normalised:
            x = normalise(x, lrn, f"norm{number}")
        if row.pooled:
            x = max_pool(x, f"pool{number}")
    logits = classify_densely(x, classes, fc_width, dropout, kernel_initializer=weights, bias_initializer=Constant(1.0))
    return keras.Model(inputs, logits, name=name)


def _convolve(x, row: Convolution, maps: int, groups: int, weights):
    kind = layers.Conv2D if groups == 1 else GroupedConv2D
    return kind(
        maps,
        row.side,
        row.stride,
        "valid" if row.stride > 1 else "same",
        groups=groups,
        activation="relu",
        kernel_initializer=weights,
        bias_initializer=Constant(row.bias),
        name=row.name,
    )(x)
