"""The layers of LeNet-5 as it was in 1998. They save, load and export."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from keras.initializers import RandomUniform

from training.architectures.prototypes import prototypes


@keras.saving.register_keras_serializable("tencrop")
def scaled_tanh(x):
    """1.7159 * tanh(2 / 3 * x), which is 1 at 1 and -1 at -1 (Appendix A)."""
    return 1.7159 * ops.tanh(2 / 3 * x)


def uniform(fan_in: int) -> RandomUniform:
    """Weights between -2.4 and 2.4 over the number of a unit's inputs (Appendix A)."""
    limit = 2.4 / max(fan_in, 1)  # a unit without inputs is refused once its network is whole
    return RandomUniform(-limit, limit)


@keras.saving.register_keras_serializable("tencrop")
class Subsampling(layers.Layer):
    """The sum of each 2 x 2, times a weight of its map's own, plus a bias of its map's own, through scaled_tanh.

    [N, height, width, maps] -> [N, height // 2, width // 2, maps]
    """

    strides = pool_size = (2, 2)

    def build(self, input_shape):
        maps = input_shape[-1:]
        self.coefficient = self.add_weight(maps, uniform(4), name="coefficient")
        self.bias = self.add_weight(maps, "zeros", name="bias")

    def call(self, inputs):
        sums = 4 * ops.average_pool(inputs, 2)
        return scaled_tanh(sums * self.coefficient + self.bias)

    def compute_output_shape(self, input_shape):
        batch, height, width, maps = input_shape
        return batch, height // 2, width // 2, maps


@keras.saving.register_keras_serializable("tencrop")
class ConnectedConv2D(layers.Layer):
    """A convolution in which each map sees the input's maps that are listed for it, and no others.

    `connections[m]` are those of map m. Unpadded, stride 1, then scaled_tanh.
    [N, height, width, maps in] -> [N, height - side + 1, width - side + 1, len(connections)]
    """

    strides = (1, 1)

    def __init__(self, connections: Sequence[Sequence[int]], side: int, **options: Any) -> None:
        super().__init__(**options)
        self.connections = [list(row) for row in connections]
        self.kernel_size = (side, side)

    def build(self, input_shape):
        maps = len(self.connections)
        pairs = [(source, target) for target, row in enumerate(self.connections) for source in row]
        # Row p has its one 1 where the weights of pair p stand in the whole kernel [side, side, maps in, maps].
        self.places = np.eye(input_shape[-1] * maps, dtype="float32")[[s * maps + t for s, t in pairs]]
        self.kernel = self.add_weight((*self.kernel_size, len(pairs)), self._first_weights, name="kernel")
        self.bias = self.add_weight((maps,), "zeros", name="bias")

    def _first_weights(self, shape, dtype=None):
        per_map = self.kernel_size[0] * self.kernel_size[1]
        fan_in = np.concatenate([[per_map * len(row)] * len(row) for row in self.connections])
        return uniform(1)(shape, dtype) / ops.cast(fan_in, dtype)

    def call(self, inputs):
        kernel = ops.matmul(self.kernel, ops.cast(self.places, self.compute_dtype))
        kernel = ops.reshape(kernel, (*self.kernel_size, inputs.shape[-1], len(self.connections)))
        return scaled_tanh(ops.conv(inputs, kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        side = self.kernel_size[0]
        if min(height, width) < side:
            raise ValueError(f"A convolution of {side} x {side} needs as many pixels; {height} x {width} came.")
        return batch, height - side + 1, width - side + 1, len(self.connections)

    def get_config(self):
        return super().get_config() | {"connections": self.connections, "side": self.kernel_size[0]}


@keras.saving.register_keras_serializable("tencrop")
class NegativeDistance(layers.Layer):
    """The squared distance of the input from each class's fixed prototype, negated, so that more is likelier:
    the paper's Euclidean radial basis functions (section II.B, equation 7), as logits.

    [N, width] -> float32 [N, units]
    """

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options | {"dtype": "float32"})
        self.units = units

    def build(self, input_shape):
        def codes(shape, dtype=None):
            return ops.cast(prototypes(*shape), dtype)

        self.kernel = self.add_weight((self.units, input_shape[-1]), codes, trainable=False, name="kernel")

    def call(self, inputs):
        return -ops.sum(ops.square(inputs[:, None] - self.kernel), axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.units

    def get_config(self):
        return super().get_config() | {"units": self.units}
