"""Writes files of weights alone as Keras 1 and 2 wrote them: a group a layer, and attributes that list its weights."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import h5py
import keras
import numpy as np


def write(
    path: Path,
    network: keras.Model,
    cut: int | None = None,
    renamed: Callable[[str], str] = str,
    layers: Mapping[str, str] | None = None,
) -> None:
    """The weights of `network`. Lists of names are in parts of `cut` where that is given; `renamed` gives a
    weight's name in the file, and `layers` those of layers, where they are others.
    """
    names = {layer.name: (layers or {}).get(layer.name, layer.name) for layer in network.layers}
    with h5py.File(path, "w") as file:
        _list(file, "layer_names", list(names.values()), cut)
        for layer in network.layers:
            name = names[layer.name]
            weights = {f"{name}/{renamed(each.name)}:0": np.array(each) for each in layer.weights}
            write_group(file, name, weights, cut)


def write_group(file: h5py.Group, name: str, weights: Mapping[str, np.ndarray], cut: int | None = None) -> None:
    """A layer's group, or that of a model inside a model, with its `weights` by their names."""
    group = file.require_group(name)
    _list(group, "weight_names", list(weights), cut)
    for each, array in weights.items():
        group[each] = array


def _list(group: h5py.Group, attribute: str, names: Sequence[str], cut: int | None) -> None:
    if cut is None:
        group.attrs[attribute] = [name.encode() for name in names]
        return
    for part, start in enumerate(range(0, len(names), cut)):
        group.attrs[f"{attribute}{part}"] = [name.encode() for name in names[start : start + cut]]
