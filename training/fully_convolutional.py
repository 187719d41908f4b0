"""A network as fully convolutional: the same layers over pictures of any size, its map of class scores averaged.

Sermanet, Eigen, Zhang et al. 2013, "OverFeat", section 3.5; Simonyan and Zisserman 2014, section 3.2: "the
fully-connected layers are first converted to convolutional layers (the first FC layer to a 7x7 conv. layer, the last
two FC layers to 1x1 conv. layers)", and "the class score map is spatially averaged (sum-pooled)".
"""

from typing import NamedTuple

import keras
from keras import layers, ops

from training.architectures.layers import GroupedConv2D, LocalResponseNormalization
from training.architectures.resnet import PaddedShortcut

_OF_EVERY_UNIT = {layers.Activation, layers.Dropout, layers.LeakyReLU, layers.ReLU, layers.Rescaling}
"""What does the same to each number, wherever it stands."""
_OF_MAPS = _OF_EVERY_UNIT | {
    GroupedConv2D,
    LocalResponseNormalization,
    PaddedShortcut,
    layers.Add,
    layers.AveragePooling2D,
    layers.BatchNormalization,
    layers.Concatenate,
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.Flatten,
    layers.GlobalAveragePooling2D,
    layers.MaxPooling2D,
    layers.SeparableConv2D,
    layers.ZeroPadding2D,
}
"""What takes maps of any size; Flatten is here for those that are pooled to one place already."""
_OPERATIONS = {"Cast", "Flip", "Log", "Maximum"}
"""What preprocessing and adopt put around a network beside layers: of every unit, too."""


class _SizeMatters(Exception):
    """A network has a part that is made for pictures of one size."""


class _Flattened(NamedTuple):
    """Maps [height, width, count] in one row, which no Dense layer has seen yet."""

    maps: tuple[int, int, int]


_EVERYWHERE = "units of every place"
"""What a Dense layer makes of flattened maps."""


class _DenseEverywhere(layers.Layer):
    """A Dense layer that was made for flattened maps of one size, at every place of larger ones: the unpadded
    convolution with the same kernel. [N, height, width, count] -> [N, places down, places across, units]
    """

    def __init__(self, dense: layers.Dense, maps: tuple[int, int, int]) -> None:
        super().__init__(dtype=dense.dtype_policy, name=f"{dense.name}_everywhere")
        self.dense, self.maps = dense, maps

    def call(self, inputs):
        sums = ops.conv(inputs, ops.reshape(self.dense.kernel, (*self.maps, self.dense.units)))
        return self.dense.activation(sums + self.dense.bias if self.dense.use_bias else sums)


def fully_convolutional(model: keras.Model) -> keras.Model | None:
    """`model`, of pictures of one size, for pictures of that size and larger, with the same variables:
    [N, height, width, channels] -> logits [N, classes], those of every place averaged.

    A head of Flatten and Dense layers sees every place as it saw the one. A network that ends in global average
    pooling stays as it is: it averages maps, and its scores are linear in them. Padding stays what it is at the
    input's size: inside a larger picture a place has its neighbours where it had zeros, and a window of pooling that
    would hang over the edge is left out where none did.

    None where a layer is not known to take pictures of any size.
    """
    try:
        network, kind = _rebuilt(model)
    except _SizeMatters:
        return None
    scores = network.output
    if kind == _EVERYWHERE:
        scores = layers.GlobalAveragePooling2D(dtype="float32", name="averaged")(scores)
    return keras.Model(network.input, scores)


def _rebuilt(model: keras.Model) -> tuple[keras.Model, str | None]:
    """The layers of `model` over pictures of any size, and whether it gives scores of every place (_EVERYWHERE) or of
    the whole picture (None). Raises _SizeMatters.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.inputs[0].shape) != 4:
        raise _SizeMatters
    graph = keras.Model(model.inputs[0], model.outputs[0])
    pictures = keras.Input((None, None, graph.input.shape[-1]), dtype=graph.input.dtype, name="pictures")
    kinds: dict[int, _Flattened | str] = {}

    def call(operation, *tensors, **options):
        given = [kinds[id(each)] for each in keras.tree.flatten(tensors) if id(each) in kinds]
        everywhere, kind = _at_every_place(operation, given[0] if given else None)
        made = everywhere(*tensors, **options)
        if kind is not None:
            kinds[id(made)] = kind
        return made

    rebuilt = keras.models.clone_model(
        graph, input_tensors=pictures, clone_function=lambda operation: operation, call_function=call
    )
    kind = kinds.get(id(rebuilt.output))
    if isinstance(kind, _Flattened):
        raise _SizeMatters
    return rebuilt, kind


def _at_every_place(operation, given: _Flattened | str | None):
    """What does the work of `operation` over pictures of any size, and the kind of what it makes of the kind `given`;
    None is the kind of maps, and of numbers of the whole picture. Raises _SizeMatters.
    """
    kind = type(operation)
    if kind in _OF_EVERY_UNIT or kind.__name__ in _OPERATIONS:
        return operation, given
    if kind is layers.Dense and isinstance(given, _Flattened):
        return _DenseEverywhere(operation, given.maps), _EVERYWHERE
    if kind is layers.Dense:
        return operation, given
    if given is not None:
        raise _SizeMatters
    if kind is layers.Flatten and len(operation.input.shape) == 4:
        return layers.Identity(dtype=operation.dtype_policy), _Flattened(operation.input.shape[1:])
    if isinstance(operation, keras.Model) and kind.__module__.startswith("keras."):  # none with a call of its own
        return _rebuilt(operation)
    if kind in _OF_MAPS:
        return operation, None
    raise _SizeMatters
