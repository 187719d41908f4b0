"""What differs between the places that weights come from."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
from numpy.typing import NDArray

Arrays = dict[str, NDArray]
"""What is in a file, by the file's own names."""


class Variant(NamedTuple):
    """How a network has to be built and fed to compute what the weights were trained in."""

    options: Mapping[str, Any]
    """Of `training.architectures.build`."""
    preprocessing: str | None
    """A name in `training.preprocessing.PRESETS`; None where nobody knows."""


class Origin(NamedTuple):
    name: str
    variants: Mapping[str, Variant]
    """Name of an architecture -> its variant there. Other architectures are not there."""
    layer_names: Callable[[keras.Model], dict[str, str]]
    """Our layer's name -> theirs, for every layer of one of our networks that has weights."""
    key: Callable[[str, str], str]
    """Their layer's name and our name of a weight in it ("kernel") -> the weight's name in the file."""
    our_axes: Callable[[NDArray, keras.layers.Layer, keras.Model], NDArray]
    """A weight as it is in the file, for a layer of a network of ours -> with its axes in our order."""


def family_of(network: keras.Model) -> str:
    """What the names of its like begin with: "resnet" for "resnet50"."""
    return re.sub(r"[-\d].*", "", network.name)
