"""Keras' files of weights: .keras, .weights.h5 and, from Keras 1 and 2, .h5."""

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from training.errors import WeightsUnusable
from training.weights.origin import Arrays

PARTS = {1: ("kernel",), 2: ("kernel", "bias"), 4: ("gamma", "beta", "moving_mean", "moving_variance")}


def parts(count: int) -> Sequence[str]:
    """What the `count` weights of a layer are called, in Keras' order. Keras 3 only numbers them in its files."""
    return PARTS.get(count) or [str(place) for place in range(count)]


def read(path: Path) -> Arrays:
    """What is in the file at `path`: "layer/part" -> array.

    Layers of a model inside a model count as the model's own; optimisers and random states are
    left out. Raises WeightsUnusable where the file is none of Keras', or does not say what its
    layers are called.
    """
    content: Path | io.BytesIO = path
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                content = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(content) as file:
            return _by_layer(file, path)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise WeightsUnusable(
            f"A file of weights is Keras' .keras, .weights.h5 or .h5, or Torch's .pth; {path} cannot be read: {error}"
        ) from error


def _by_layer(file: h5py.File, path: Path) -> Arrays:
    layers = _legacy_layers(file) if _is_legacy(file) else _layers(file, path)
    return {
        f"{name}/{part}": array
        for name, arrays in layers
        for part, array in zip(parts(len(arrays)), arrays, strict=True)
    }


def _is_legacy(file: h5py.File) -> bool:
    return "model_weights" in file or any(each.startswith("layer_names") for each in file.attrs)


def _legacy_layers(file: h5py.File) -> list[tuple[str, list[NDArray]]]:
    """Groups named after layers; attributes say their order, in parts where they are long."""
    root = file.get("model_weights", file)
    layers = [(name, root[name]) for name in _names(root, "layer_names")]
    return [(name, [np.asarray(group[each]) for each in _names(group, "weight_names")]) for name, group in layers]


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """The names in `attribute`, or in attribute0, attribute1 and so on, into which Keras cuts a long list."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    found = [each for part in parts for each in group.attrs[part]]
    return [each.decode() if isinstance(each, bytes) else each for each in found]


def _layers(file: h5py.File, path: Path) -> list[tuple[str, list[NDArray]]]:
    """Groups layers/KIND/vars of numbered arrays, with an attribute that says what the layer is called."""
    found = []

    def visit(place: str, group) -> None:
        if not re.fullmatch(r"(layers/[^/]+/)+vars", place) or not len(group):
            return
        if "name" not in group.attrs:
            raise WeightsUnusable(
                f"Weights are matched by their layers' names, which {path}, of an older Keras 3, leaves out. "
                "Load it there as it was saved, and save it again with Keras 3.12 or later."
            )
        found.append((group.attrs["name"], [np.asarray(group[each]) for each in sorted(group, key=int)]))

    file.visititems(visit)
    return found
