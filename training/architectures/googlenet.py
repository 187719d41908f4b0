"""GoogLeNet: Szegedy, Liu, Jia et al. 2014, "Going Deeper with Convolutions", Table 1.

At 224x224x3 and 1000 classes it has 6,998,552 parameters, 13,378,280 with its two auxiliary
heads, and 7,005,832 with batch normalisation in place of biases. (Table 1's 2.7K for the
first convolution is a misprint: it has 9.4K.)
"""

from typing import NamedTuple

import keras
from keras import layers

from training.architectures.layers import (
    LRN,
    Stem,
    batch_normalise,
    convolve,
    first_weights,
    max_pool,
    normalise,
    thinned,
)


class Inception(NamedTuple):
    """Maps of the columns of Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj."""

    name: str
    ones: int
    reduce_3: int
    threes: int
    reduce_5: int
    fives: int
    projected: int


POOL = "max pool 3x3/2"
TABLE_1 = (
    Inception("3a", 64, 96, 128, 16, 32, 32),
    Inception("3b", 128, 128, 192, 32, 96, 64),
    POOL,
    Inception("4a", 192, 96, 208, 16, 48, 64),
    Inception("4b", 160, 112, 224, 24, 64, 64),
    Inception("4c", 128, 128, 256, 24, 64, 64),
    Inception("4d", 112, 144, 288, 32, 64, 64),
    Inception("4e", 256, 160, 320, 32, 128, 128),
    POOL,
    Inception("5a", 256, 160, 320, 32, 128, 128),
    Inception("5b", 384, 192, 384, 48, 128, 128),
)
HEADS = {"4a": "aux1", "4d": "aux2"}
"""The module that an auxiliary head hangs on -> the head's name (section 5)."""
AUXILIARY_WEIGHT = 0.3
"""Of an auxiliary head's loss in the whole (section 5)."""


class _Convolutions(NamedTuple):
    """Convolutions with ReLU, all with biases or all with batch normalisation, of `width` times the maps asked for."""

    batch_norm: bool
    bn_epsilon: float
    width: float
    weights: str | dict

    def __call__(self, x, maps: int, side: int, stride: int = 1, *, name: str):
        maps = thinned(maps, self.width)
        if not self.batch_norm:
            return convolve(x, maps, side, stride, activation="relu", kernel_initializer=self.weights, name=name)
        x = convolve(x, maps, side, stride, use_bias=False, kernel_initializer=self.weights, name=name)
        x = batch_normalise(x, self.bn_epsilon, name)
        return layers.ReLU(name=f"{name}_relu")(x)


def build(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    training_heads: bool = False,
    batch_norm: bool = False,
    bn_epsilon: float = 1e-3,
    lrn: LRN = "paper",
    stem: Stem = "paper",
    width: float = 1.0,
    dropout: float = 0.4,
) -> keras.Model:
    """GoogLeNet. With `training_heads` it gives a mapping of logits, {"linear", "aux1_linear", "aux2_linear"}.
    With `batch_norm` nothing is normalised over maps.
    """
    weights = first_weights(stem, "glorot_uniform")
    conv = _Convolutions(batch_norm, bn_epsilon, width, weights)
    inputs = keras.Input(input_shape, name="pictures")
    x = _stem(inputs, conv, "off" if batch_norm else lrn, stem)
    logits = {}
    stage = 3
    for row in TABLE_1:
        if row == POOL:
            x = max_pool(x, f"pool{stage}")
            stage += 1
            continue
        x = _inception(x, row, conv)
        if training_heads and row.name in HEADS:
            head = HEADS[row.name]
            logits[f"{head}_linear"] = _auxiliary_head(x, classes, conv, head)
    x = layers.GlobalAveragePooling2D(name="pool5")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    logits["linear"] = layers.Dense(classes, kernel_initializer=weights, dtype="float32", name="linear")(x)
    return keras.Model(inputs, logits if training_heads else logits["linear"], name=name)


def _stem(x, conv: _Convolutions, lrn: LRN, stem: Stem):
    if stem == "small":  # ours, not the paper's
        x = conv(x, 64, 3, name="conv1")
    else:
        x = conv(x, 64, 7, 2, name="conv1")
        x = max_pool(x, "pool1")
    x = normalise(x, lrn, "norm1")
    x = conv(x, 64, 1, name="conv2_reduce")
    x = conv(x, 192, 3, name="conv2")
    x = normalise(x, lrn, "norm2")
    return max_pool(x, "pool2")


def _inception(x, row: Inception, conv: _Convolutions):
    """Figure 2 (b): four branches side by side, concatenated in the order of the table."""
    name = f"inception_{row.name}"
    ones = conv(x, row.ones, 1, name=f"{name}_1x1")
    threes = conv(x, row.reduce_3, 1, name=f"{name}_3x3_reduce")
    threes = conv(threes, row.threes, 3, name=f"{name}_3x3")
    fives = conv(x, row.reduce_5, 1, name=f"{name}_5x5_reduce")
    fives = conv(fives, row.fives, 5, name=f"{name}_5x5")
    pooled = layers.MaxPooling2D(3, 1, "same", name=f"{name}_pool")(x)
    pooled = conv(pooled, row.projected, 1, name=f"{name}_pool_proj")
    return layers.Concatenate(name=name)([ones, threes, fives, pooled])


def _auxiliary_head(x, classes: int, conv: _Convolutions, name: str):
    """Section 5: average pooling 5x5/3, 128 1x1 filters, 1024 units, dropout of 0.7, logits."""
    x = layers.AveragePooling2D(5, 3, name=f"{name}_pool")(x)
    x = conv(x, 128, 1, name=f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(1024, activation="relu", kernel_initializer=conv.weights, name=f"{name}_fc")(x)
    x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
    name = f"{name}_linear"
    return layers.Dense(classes, kernel_initializer=conv.weights, dtype="float32", name=name)(x)
