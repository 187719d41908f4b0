"""ZFNet: Zeiler and Fergus 2013, "Visualizing and Understanding Convolutional Networks",
Figure 3, and the wider model (b) of Table 2.

At 224x224x3 and 1000 classes it has 107,627,624 parameters with 512, 1024 and 512 maps in
conv3 to conv5, and 62,357,608 with Figure 3's 384, 384 and 256.
"""

from typing import Literal, NamedTuple

import keras
from keras import layers

from training.architectures.layers import (
    LRN,
    NORMAL_001,
    Stem,
    classify_densely,
    first_weights,
    max_pool,
    normalise,
    thinned,
)


class Convolution(NamedTuple):
    """A convolution and ReLU, then 3x3/2 pooling and normalisation over maps where they are said."""

    name: str
    maps: int
    side: int
    stride: int = 1
    pad: int = 0
    pooled: bool = False
    normalised: bool = False


FIRST = (
    Convolution("conv1", 96, 7, stride=2, pad=1, pooled=True, normalised=True),  # 224 -> 110 -> 55
    Convolution("conv2", 256, 5, stride=2, pooled=True, normalised=True),  # 55 -> 26 -> 13
)
SMALL_CONV1 = Convolution("conv1", 96, 3, pad=1, normalised=True)  # ours, not the paper's
LAST = {
    "512-1024-512": (  # Table 2, (b)
        Convolution("conv3", 512, 3, pad=1),
        Convolution("conv4", 1024, 3, pad=1),
        Convolution("conv5", 512, 3, pad=1, pooled=True),
    ),
    "384-384-256": (  # Figure 3
        Convolution("conv3", 384, 3, pad=1),
        Convolution("conv4", 384, 3, pad=1),
        Convolution("conv5", 256, 3, pad=1, pooled=True),
    ),
}


def build(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    maps: Literal["512-1024-512", "384-384-256"] = "512-1024-512",
    lrn: LRN = "paper",
    stem: Stem = "paper",
    width: float = 1.0,
    fc_width: int = 4096,
    dropout: float = 0.5,
) -> keras.Model:
    """ZFNet. `maps` are those of conv3 to conv5.

    The paper normalises over maps and does not say how: the constants are those of AlexNet, which it begins from.
    """
    first = SMALL_CONV1 if stem == "small" else FIRST[0]
    weights = first_weights(stem, NORMAL_001)
    inputs = keras.Input(input_shape, name="pictures")
    x = inputs
    for row in (first, FIRST[1], *LAST[maps]):
        number = row.name.removeprefix("conv")
        if row.pad:
            x = layers.ZeroPadding2D(row.pad, name=f"{row.name}_pad")(x)
        count = thinned(row.maps, width)
        x = layers.Conv2D(count, row.side, row.stride, activation="relu", kernel_initializer=weights, name=row.name)(x)
        if row.pooled:
            x = max_pool(x, f"pool{number}")
        if row.normalised:
            x = normalise(x, lrn, f"norm{number}")
    logits = classify_densely(x, classes, fc_width, dropout, kernel_initializer=weights)
    return keras.Model(inputs, logits, name=name)
