"""What differs between the places that weights come from."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
from numpy.typing import NDArray

from training.errors import WeightsUnusable

Arrays = dict[str, NDArray]
"""What is in a file, by the file's own names."""

AUXILIARY = re.compile(r"aux\d[._]")
"""How names begin in auxiliary heads, which serve in training only: ours, and torchvision's."""


class Variant(NamedTuple):
    """How a network has to be built and fed to compute what the weights were trained in."""

    options: Mapping[str, Any]
    """Of `training.architectures.build`."""
    preprocessing: str | None
    """A name in `training.preprocessing.PRESETS`; None where nobody knows."""
    unlike: str = ""
    """A sentence, where what is published there is another network than ours, and fits none."""


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


def by_name(weights: Iterable[tuple[str, NDArray]], path: Path) -> Arrays:
    """`weights`, of the file at `path`, by their names. Raises WeightsUnusable where a name comes twice."""
    arrays: Arrays = {}
    for name, array in weights:
        if name in arrays:
            raise WeightsUnusable(
                f"A weight comes once in a file; {name} comes twice in {path}, as where two networks are in it. "
                "Save the one that is wanted by itself."
            )
        arrays[name] = array
    return arrays


def family_of(network: keras.Model) -> str:
    """What the names of its like begin with: "resnet" for "resnet50"."""
    return re.sub(r"[-\d].*", "", network.name)
