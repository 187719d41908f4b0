"""ResNet: He, Zhang, Ren and Sun 2015, "Deep Residual Learning for Image Recognition":
Table 1 for ImageNet, section 4.2 for CIFAR-10.

At 224x224x3 and 1000 classes: ResNet-18 11,689,512 parameters, 34 21,797,672, 50 25,557,032,
101 44,549,160, 152 60,192,808. At 32x32x3 and 10 classes: ResNet-20 269,722, 32 464,154,
44 658,586, 56 853,018, 110 1,727,962. Batch normalisation is counted; convolutions have no biases.
"""

from typing import Any, NamedTuple

import keras
from keras import layers, ops

from training.architectures.layers import Pooling, Stem, batch_normalise, convolve, max_pool

BASIC, BOTTLENECK = "two 3x3", "1x1, 3x3, 1x1 of four times the maps"
TABLE_1 = {
    # The block, and how many of them conv2_x to conv5_x have.
    "resnet18": (BASIC, (2, 2, 2, 2)),
    "resnet34": (BASIC, (3, 4, 6, 3)),
    "resnet50": (BOTTLENECK, (3, 4, 6, 3)),
    "resnet101": (BOTTLENECK, (3, 4, 23, 3)),
    "resnet152": (BOTTLENECK, (3, 8, 36, 3)),
}
MAPS = (64, 128, 256, 512)

CIFAR = {
    # Blocks in each of the three stages: 6n + 2 layers.
    "resnet20": 3,
    "resnet32": 5,
    "resnet44": 7,
    "resnet56": 9,
    "resnet110": 18,
}
CIFAR_MAPS = (16, 32, 64)


@keras.saving.register_keras_serializable("tencrop")
class PaddedShortcut(layers.Layer):
    """Option A of section 3.3: every `strides`-th place, and maps of zeros after the input's, up to `filters`.

    [N, height, width, maps] -> [N, ceil(height / strides), ceil(width / strides), filters]
    """

    def __init__(self, filters: int, strides: int, **options: Any) -> None:
        super().__init__(**options)
        self.filters, self.strides = filters, strides

    def call(self, inputs):
        kept = inputs[:, :: self.strides, :: self.strides]
        return ops.pad(kept, ((0, 0), (0, 0), (0, 0), (0, self.filters - inputs.shape[-1])))

    def compute_output_shape(self, input_shape):
        batch, *sides, _ = input_shape
        kept = [side and -(-side // self.strides) for side in sides]  # a side that is left open is None
        return batch, *kept, self.filters

    def get_config(self):
        return super().get_config() | {"filters": self.filters, "strides": self.strides}


class _Blocks(NamedTuple):
    """Residual blocks with one kind of normalisation."""

    bn_epsilon: float
    v1_5: bool = False

    def convolve(self, x, maps: int, side: int, stride: int = 1, *, name: str):
        """A convolution without biases, normalised."""
        x = convolve(x, maps, side, stride, use_bias=False, kernel_initializer="he_normal", name=name)
        return batch_normalise(x, self.bn_epsilon, name)

    def convolve_relu(self, x, maps: int, side: int, stride: int = 1, *, name: str):
        return layers.ReLU(name=f"{name}_relu")(self.convolve(x, maps, side, stride, name=name))

    def basic(self, x, maps: int, stride: int, name: str):
        """Figure 5, left, before the addition."""
        x = self.convolve_relu(x, maps, 3, stride, name=f"{name}_1")
        return self.convolve(x, maps, 3, name=f"{name}_2")

    def bottleneck(self, x, maps: int, stride: int, name: str):
        """Figure 5, right, before the addition. The paper strides in the 1x1, v1.5 in the 3x3."""
        first, second = (1, stride) if self.v1_5 else (stride, 1)
        x = self.convolve_relu(x, maps, 1, first, name=f"{name}_1")
        x = self.convolve_relu(x, maps, 3, second, name=f"{name}_2")
        return self.convolve(x, 4 * maps, 1, name=f"{name}_3")

    def option_b(self, x, maps: int, stride: int, name: str):
        """The input itself, or projected by 1x1 filters where shapes differ (section 3.3)."""
        if x.shape[-1] == maps and stride == 1:
            return x
        return self.convolve(x, maps, 1, stride, name=f"{name}_shortcut")


def build(
    name: str,
    classes: int,
    input_shape: tuple[int, int, int],
    *,
    v1_5: bool = False,
    bn_epsilon: float = 1e-5,
    stem_pooling: Pooling = "ceil",
    stem: Stem = "paper",
) -> keras.Model:
    """ResNet-18 to 152, shortcuts of option B. `v1_5` moves a bottleneck's stride into its 3x3 filters.

    `stem_pooling` is the authors' Caffe ("ceil") or Torch's ("pad").
    """
    kind, counts = TABLE_1[name]
    blocks = _Blocks(bn_epsilon, v1_5)
    branch, widening = (blocks.basic, 1) if kind == BASIC else (blocks.bottleneck, 4)
    inputs = keras.Input(input_shape, name="pictures")
    if stem == "small":  # ours, not the paper's
        x = blocks.convolve_relu(inputs, 64, 3, name="conv1")
    else:
        x = blocks.convolve_relu(inputs, 64, 7, 2, name="conv1")
        x = max_pool(x, "pool1", stem_pooling)
    for stage, (maps, count) in enumerate(zip(MAPS, counts, strict=True), start=2):
        for number in range(1, count + 1):
            block, stride = f"conv{stage}_{number}", 2 if number == 1 and stage > 2 else 1
            shortcut = blocks.option_b(x, widening * maps, stride, block)
            x = _add(branch(x, maps, stride, block), shortcut, block)
    return keras.Model(inputs, _classify(x, classes), name=name)


def build_for_cifar(
    name: str, classes: int, input_shape: tuple[int, int, int], *, bn_epsilon: float = 1e-5
) -> keras.Model:
    """ResNet-20 to 110, shortcuts of option A: "our residual models have exactly the same ... parameters"."""
    blocks = _Blocks(bn_epsilon)
    inputs = keras.Input(input_shape, name="pictures")
    x = blocks.convolve_relu(inputs, 16, 3, name="conv1")
    for stage, maps in enumerate(CIFAR_MAPS, start=2):
        for number in range(1, CIFAR[name] + 1):
            block, stride = f"conv{stage}_{number}", 2 if number == 1 and stage > 2 else 1
            shortcut = x if stride == 1 else PaddedShortcut(maps, stride, name=f"{block}_shortcut")(x)
            x = _add(blocks.basic(x, maps, stride, block), shortcut, block)
    return keras.Model(inputs, _classify(x, classes), name=name)


def _add(x, shortcut, name: str):
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=name)(x)


def _classify(x, classes: int):
    x = layers.GlobalAveragePooling2D(name="pool5")(x)
    return layers.Dense(classes, dtype="float32", name="fc")(x)
