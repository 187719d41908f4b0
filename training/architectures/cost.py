"""What a network costs and what its layers see, counted over its graph and not measured."""

from collections.abc import Iterable
from math import prod
from typing import NamedTuple

import keras
from keras import layers


class Field(NamedTuple):
    """The input that one place of a layer's output depends on: `side` x `side` pixels, `stride` apart, None
    where the layer's output has no places.
    """

    side: int
    stride: int | None


class Row(NamedTuple):
    """One layer. `shape` leaves out the batch; `parameters` are the trainable ones."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    field: Field


def layer_table(network: keras.Model) -> list[Row]:
    """A row for every layer of a functional `network` of square filters, in the order of computation."""
    fields: dict[int, Field] = {}
    rows = []
    for layer in network.layers:
        inputs = [] if isinstance(layer, layers.InputLayer) else _listed(layer.input)
        field = _field(layer, [fields[id(each)] for each in inputs], inputs)
        fields[id(layer.output)] = field
        shape = tuple(layer.output.shape[1:])
        rows.append(Row(layer.name, type(layer).__name__, shape, _parameters(layer), _multiply_adds(layer), field))
    return rows


def multiply_adds(network: keras.Model) -> int:
    """Of one picture, in convolutions and dense layers: every weight of a kernel, once a place it is applied at."""
    return sum(_multiply_adds(layer) for layer in network.layers)


def parameters(network: keras.Model) -> int:
    """The trainable ones: batch normalisation's moving statistics are none."""
    return sum(_parameters(layer) for layer in network.layers)


def _parameters(layer: layers.Layer) -> int:
    return sum(prod(weight.shape) for weight in layer.trainable_variables)


def _multiply_adds(layer: layers.Layer) -> int:
    places = prod(layer.output.shape[1:-1])
    return places * prod(layer.kernel.shape) if hasattr(layer, "kernel") else 0


def _field(layer: layers.Layer, seen: list[Field], inputs: list) -> Field:
    """The field of `layer`, whose `inputs` have the fields `seen`; of several, the widest."""
    if not seen:
        return Field(1, 1)
    widest = max(seen, key=lambda field: field.side)
    if widest.stride is None:
        return widest
    if len(layer.output.shape) < 4:  # what it gives has no places any more: it sees them all
        return Field(widest.side + (inputs[0].shape[1] - 1) * widest.stride, None)
    window = _first(getattr(layer, "kernel_size", getattr(layer, "pool_size", 1)))
    step = _first(getattr(layer, "strides", 1))
    return Field(widest.side + (window - 1) * widest.stride, widest.stride * step)


def _first(sides: int | Iterable[int]) -> int:
    return sides if isinstance(sides, int) else next(iter(sides))


def _listed(tensors) -> list:
    return list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
