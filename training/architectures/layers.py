"""What Keras lacks, and what several families share. Everything here saves, loads and exports."""

from typing import Any, Literal

import keras
import tensorflow as tf
from keras import layers, ops

Stem = Literal["paper", "small"]
"""How a network begins. "small" is ours and no paper's, for pictures of 64 pixels and less:
the first convolution has stride 1, no pooling follows it, and weights begin as He et al. 2015 draw
them: from its paper's, ZFNet had not left a loss of 2.30 after 60 steps on digits; from He's it was at 1.92."""

LRN = Literal["paper", "caffe", "off"]
Pooling = Literal["ceil", "pad"]

LRN_CONSTANTS = {
    # Krizhevsky, Sutskever and Hinton 2012, section 3.3: k, alpha and beta, n = 5 maps; alpha is not divided by n.
    "paper": {"bias": 2.0, "alpha": 1e-4, "beta": 0.75},
    # Caffe's defaults in its models: k = 1, and alpha divided by n.
    "caffe": {"bias": 1.0, "alpha": 2e-5, "beta": 0.75},
}


@keras.saving.register_keras_serializable("tencrop")
class LocalResponseNormalization(layers.Layer):
    """Each value over (k + alpha * sum of squares over 5 neighbouring maps) ** beta.

    Computed in float32 whatever the policy: there is no kernel for fewer bits on every device.
    [N, height, width, maps] -> the same shape and type.
    """

    def __init__(self, constants: str = "paper", **options: Any) -> None:
        super().__init__(**options)
        self.constants = constants

    def call(self, inputs):
        values = ops.cast(inputs, "float32")
        values = tf.nn.local_response_normalization(values, depth_radius=2, **LRN_CONSTANTS[self.constants])
        return ops.cast(values, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"constants": self.constants}


@keras.saving.register_keras_serializable("tencrop")
class GroupedConv2D(layers.Conv2D):
    """A convolution in `groups`: each sees its own share of the input's maps and makes its own of the output's.

    One kernel [side, side, maps in / groups, maps out], split inside and concatenated: a training
    step on a CPU takes a tenth of what one grouped operation takes.
    """

    def convolution_op(self, inputs, kernel):
        shares = zip(ops.split(inputs, self.groups, axis=-1), ops.split(kernel, self.groups, axis=-1), strict=True)
        convolve = super().convolution_op
        return ops.concatenate([convolve(maps, part) for maps, part in shares], axis=-1)


NORMAL_001 = {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.01}}
"""The first weights of AlexNet and ZFNet, as data: one initialiser object would draw every layer the same numbers."""


def thinned(maps: int, width: float) -> int:
    """`maps` times `width`, to the nearest multiple of 8, which the papers' own numbers of maps are."""
    return max(8, round(maps * width / 8) * 8)


def first_weights(stem: Stem, paper: str | dict) -> str | dict:
    """The initialiser of kernels behind `stem`, where the paper's is `paper`; every layer makes its own of it."""
    return "he_normal" if stem == "small" else paper


def normalise(x, lrn: LRN, name: str):
    """`x` after local response normalisation with the constants called `lrn`, or as it is where they are "off"."""
    return x if lrn == "off" else LocalResponseNormalization(lrn, name=name)(x)


def batch_normalise(x, epsilon: float, name: str):
    """`x` after batch normalisation: over the whole batch, also where several devices have a share of it each."""
    shared_out = tf.distribute.get_strategy().num_replicas_in_sync > 1
    return layers.BatchNormalization(epsilon=epsilon, momentum=0.9, synchronized=shared_out, name=f"{name}_bn")(x)


def convolve(x, filters: int, side: int, stride: int = 1, *, name: str, **options: Any):
    """A convolution padded by side // 2 on every side. Keras' "same" pads unevenly where it strides."""
    if stride == 1:
        return layers.Conv2D(filters, side, padding="same", name=name, **options)(x)
    if side > 1:
        x = layers.ZeroPadding2D(side // 2, name=f"{name}_pad")(x)
    return layers.Conv2D(filters, side, stride, name=name, **options)(x)


def max_pool(x, name: str, pooling: Pooling = "ceil"):
    """The largest of each 3 x 3, 2 apart. `x` has no values below zero: what is padded is zero.

    "ceil", Caffe's: windows begin at the corner, and the last may hang over the edge.
    "pad", Torch's: one row and column of padding on every side, and no window hangs over.
    """
    _, height, width, _ = x.shape
    padding = 1 if pooling == "pad" else ((0, 1 - height % 2), (0, 1 - width % 2))
    if padding != ((0, 0), (0, 0)):
        x = layers.ZeroPadding2D(padding, name=f"{name}_pad")(x)
    return layers.MaxPooling2D(3, 2, name=name)(x)


def classify_densely(x, classes: int, width: int, dropout: float, **options: Any):
    """The head of AlexNet, ZFNet and VGG: fc6 and fc7 of `width` units under dropout, then fc8, the logits.

    `options` are those of fc6 and fc7; fc8 has the same kernel initialiser, and biases of zero.
    """
    x = layers.Flatten(name="flatten")(x)
    for name in ("6", "7"):
        x = layers.Dense(width, activation="relu", name=f"fc{name}", **options)(x)
        x = layers.Dropout(dropout, name=f"drop{name}")(x)
    initializer = options.get("kernel_initializer", "glorot_uniform")
    return layers.Dense(classes, kernel_initializer=initializer, dtype="float32", name="fc8")(x)
