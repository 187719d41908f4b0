"""DenseNet: Huang, Liu, van der Maaten and Weinberger 2016, "Densely Connected Convolutional
Networks": Table 1 for ImageNet, section 3 (Implementation Details) for CIFAR.

At 224x224x3 and 1000 classes: DenseNet-121 7,978,856 parameters, 161 28,681,000,
169 14,149,480, 201 20,013,928, 264 33,337,704. At 32x32x3 and 10 classes: 40 layers with
growth 12 1,019,722, BC with 100 layers and growth 12 769,162.
"""

from typing import Literal, NamedTuple

import keras
from keras import layers

from training.architectures.layers import Pooling, Stem, batch_normalise, convolve, max_pool


class Dense(NamedTuple):
    """`blocks` layers in each dense block, each adding `growth` maps to the `stem` maps that they begin with.

    `bottleneck`: 1x1 filters to 4 * growth maps come first (the B of BC).
    `compression`: the share of maps that a transition keeps (the C).
    """

    blocks: tuple[int, ...]
    growth: int
    stem: int
    bottleneck: bool = True
    compression: float = 0.5


TABLE_1 = {
    "densenet121": Dense((6, 12, 24, 16), growth=32, stem=64),
    "densenet161": Dense((6, 12, 36, 24), growth=48, stem=96),
    "densenet169": Dense((6, 12, 32, 32), growth=32, stem=64),
    "densenet201": Dense((6, 12, 48, 32), growth=32, stem=64),
    "densenet264": Dense((6, 12, 64, 48), growth=32, stem=64),
}
CIFAR = {
    "densenet40-k12": Dense((12, 12, 12), growth=12, stem=16, bottleneck=False, compression=1.0),
    "densenet-bc100-k12": Dense((16, 16, 16), growth=12, stem=24),
}


def build(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    bn_epsilon: float = 1e-5,
    stem_pooling: Pooling = "pad",
    stem: Stem = "paper",
) -> keras.Model:
    """DenseNet-BC. `stem_pooling` is the authors' Torch ("pad") or Caffe's ("ceil")."""
    row = TABLE_1[name]
    inputs = keras.Input(input_shape, name="pictures")
    if stem == "small":  # ours, not the paper's
        x = _convolve(inputs, row.stem, 3, name="conv1")
    else:
        x = _convolve(inputs, row.stem, 7, 2, name="conv1")
        x = _normalise(x, "conv1", bn_epsilon)
        x = max_pool(x, "pool1", stem_pooling)
    return _finish(inputs, x, row, classes, bn_epsilon, name)


def build_for_cifar(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    blocks: int = 0,
    bn_epsilon: float = 1e-5,
    stride: Literal[1, 2] = 1,
) -> keras.Model:
    """The CIFAR networks: three dense blocks behind one 3x3 convolution.

    `blocks`, where it is not 0, is the number of layers in each (the paper's depth less 4, over 3, of which
    bottlenecks count two). A `stride` of 2 in the first convolution is ours: a quarter of the arithmetic.
    """
    row = CIFAR[name]
    if blocks:
        row = row._replace(blocks=(blocks,) * len(row.blocks))
    inputs = keras.Input(input_shape, name="pictures")
    x = _convolve(inputs, row.stem, 3, stride, name="conv1")
    return _finish(inputs, x, row, classes, bn_epsilon, name)


def _finish(inputs, x, row: Dense, classes: int, epsilon: float, name: str) -> keras.Model:
    for block, count in enumerate(row.blocks, start=1):
        for number in range(1, count + 1):
            x = _grow(x, row, f"dense{block}_{number}", epsilon)
        if block < len(row.blocks):
            x = _transition(x, row.compression, f"transition{block}", epsilon)
    x = _normalise(x, "final", epsilon)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    logits = layers.Dense(classes, dtype="float32", name="fc")(x)
    return keras.Model(inputs, logits, name=name)


def _grow(x, row: Dense, name: str, epsilon: float):
    """H of section 3: normalisation, ReLU and convolution; what it makes is put after what it saw."""
    made = x
    if row.bottleneck:
        made = _normalise(made, f"{name}_1x1", epsilon)
        made = _convolve(made, 4 * row.growth, 1, name=f"{name}_1x1")
    made = _normalise(made, f"{name}_3x3", epsilon)
    made = _convolve(made, row.growth, 3, name=f"{name}_3x3")
    return layers.Concatenate(name=name)([x, made])


def _transition(x, compression: float, name: str, epsilon: float):
    x = _normalise(x, name, epsilon)
    x = _convolve(x, int(x.shape[-1] * compression), 1, name=name)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def _normalise(x, name: str, epsilon: float):
    """Batch normalisation and ReLU."""
    x = batch_normalise(x, epsilon, name)
    return layers.ReLU(name=f"{name}_relu")(x)


def _convolve(x, maps: int, side: int, stride: int = 1, *, name: str):
    return convolve(x, maps, side, stride, use_bias=False, kernel_initializer="he_normal", name=name)
