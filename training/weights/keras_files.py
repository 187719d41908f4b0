"""Keras' files of weights: .keras, .weights.h5 and, from Keras 1 and 2, .h5."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from training.errors import WeightsUnusable
from training.weights import layer_settings
from training.weights.layer_settings import Settings
from training.weights.origin import Arrays, by_name

PARTS = {1: ("kernel",), 2: ("kernel", "bias"), 4: ("gamma", "beta", "moving_mean", "moving_variance")}
MOST_COMPRESSED = 20
"""What is in a file, in bytes, over the bytes that it takes: at most. Weights hardly compress, unless most are zero."""

_Layers = list[tuple[str, list[h5py.Dataset]]]
"""Layers' names, each with its weights in Keras' order."""


def parts(count: int) -> Sequence[str]:
    """What the `count` weights of a layer are called, in Keras' order. Keras 3 only numbers them in its files."""
    return PARTS.get(count) or [str(place) for place in range(count)]


def read(path: Path) -> Arrays:
    """What is in the file at `path`: "layer/part" -> array.

    Layers of a model inside a model count as the model's own; optimisers and random states are
    left out. Raises WeightsUnusable where the file is none of Keras', points to others, is far
    smaller than what it is said to hold, has a weight twice, or does not say what its layers are called.
    """
    with _refusals(path), _opened(path) as file:
        _check_all_is_inside(file, path)
        return by_name(_weights(file, path), path)


def settings(path: Path, name: str) -> dict[str, Settings]:
    """What the file at `path` says of the layers of the model called `name`, as `layer_settings.of` gives it.

    Empty for a file of weights alone. Raises WeightsUnusable where the file is none of Keras'.
    """
    with _refusals(path):
        return layer_settings.of(json.loads(_config(path)), name)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Makes one kind of error, which names `path`, of all that a broken or hostile file leads to."""
    try:
        yield
    except WeightsUnusable:
        raise
    except Exception as error:  # a file of nonsense may raise anything
        raise WeightsUnusable(
            f"A file of weights is Keras' .keras, .weights.h5 or .h5, or Torch's .pth; {path} cannot be read: {error}"
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The weights in the file at `path`."""
    with h5py.File(io.BytesIO(_entry(path, "model.weights.h5")) if zipfile.is_zipfile(path) else path) as file:
        yield file


def _config(path: Path) -> str | bytes:
    """The config in JSON of the model in the file at `path`; that of no layers where it is of weights alone."""
    if zipfile.is_zipfile(path):
        return _entry(path, "config.json")
    with h5py.File(path) as file:
        return file.attrs.get("model_config", '{"config": {}}')


def _entry(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        _check_size(archive.getinfo(name).file_size, path)
        return archive.read(name)


def _check_size(declared: int, path: Path) -> None:
    """Raises WeightsUnusable where `declared` bytes are more than a file of the size of `path`'s holds."""
    if declared > MOST_COMPRESSED * (stored := path.stat().st_size):
        raise WeightsUnusable(
            f"A file of weights holds at most {MOST_COMPRESSED} times its own size; {path} has {stored} bytes, and "
            f"{declared} are said to be in it. Save it again, without compression."
        )


def _check_all_is_inside(file: h5py.File, path: Path) -> None:
    """Raises WeightsUnusable where `file` points outside itself, or declares more than a file like it holds.

    To be called before anything else in `file` is looked up, since that follows its links.
    """
    declared = 0

    def visit(name: str, link: object) -> str | None:
        """`name` where it points elsewhere, which ends the visit: nothing may be raised in one."""
        nonlocal declared
        found = file[name] if isinstance(link, h5py.HardLink) else None
        if isinstance(found, h5py.Dataset):
            declared += prod(found.shape or ()) * found.dtype.itemsize
            return name if found.external or found.is_virtual else None
        return name if found is None else None

    if outside := file.visititems_links(visit):
        raise WeightsUnusable(
            f"A file of weights has all of them in itself; in {path}, {outside} points to another place. "
            "Save the network again, with Keras."
        )
    _check_size(declared, path)


def _weights(file: h5py.File, path: Path) -> Iterator[tuple[str, NDArray]]:
    for name, datasets in _legacy_layers(file) if _is_legacy(file) else _layers(file, path):
        for part, dataset in zip(parts(len(datasets)), datasets, strict=True):
            yield f"{name}/{part}", _numbers(dataset)


def _numbers(dataset: h5py.Dataset) -> NDArray:
    array = np.asarray(dataset)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{dataset.name} holds no numbers")
    return array


def _is_legacy(file: h5py.File) -> bool:
    return "model_weights" in file or any(each.startswith("layer_names") for each in file.attrs)


def _legacy_layers(file: h5py.File) -> _Layers:
    """Groups named after layers; attributes say their order, in parts where they are long."""
    root = file.get("model_weights", file)
    return [layer for name in _names(root, "layer_names") for layer in _layers_of_group(name, root[name])]


def _layers_of_group(name: str, group: h5py.Group) -> _Layers:
    """One layer, called `name`; or those of a model inside the model, which its weights' names begin with.

    A layer's own name is not taken from there: graphs of Keras 2 count on in it, conv1_1/kernel for conv1's.
    """
    found: dict[str, list[h5py.Dataset]] = {}
    for each in _names(group, "weight_names"):
        found.setdefault(each.rpartition("/")[0], []).append(group[each])
    if len(found) == 1:
        return [(name, *found.values())]
    return [(layer.removeprefix(f"{name}/"), datasets) for layer, datasets in found.items()]


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """The names in `attribute`, or in attribute0, attribute1 and so on, into which Keras cuts a long list."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    found = [each for part in parts for each in group.attrs[part]]
    return [each.decode() if isinstance(each, bytes) else each for each in found]


def _layers(file: h5py.File, path: Path) -> _Layers:
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
        found.append((group.attrs["name"], [group[each] for each in sorted(group, key=int)]))

    file.visititems(visit)
    return found
