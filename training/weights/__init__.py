"""Published weights into our networks, matched by name and shape.

    network = architectures.build("resnet50", **weights.variant("resnet50", path).options)
    print(weights.load(network, path))

Read are torchvision's state dicts (.pth), files of keras.applications, and what networks of ours
were saved to (.keras, .weights.h5, .h5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from serving.models.card import sha256_of
from training import architectures
from training.errors import WeightsUnusable
from training.weights import keras_applications, keras_files, layer_settings, torch_files, torchvision
from training.weights.keras_applications import KERAS_APPLICATIONS
from training.weights.origin import AUXILIARY, Arrays, Origin, Variant, by_name
from training.weights.torchvision import TORCHVISION

OURS = Origin(
    "tencrop",
    dict.fromkeys(architectures.FAMILIES, Variant({}, None)),
    lambda network: {layer.name: layer.name for layer in network.layers if layer.weights},
    lambda layer, part: f"{layer}/{part}",
    lambda array, layer, network: array,
)
TORCH_FILES = (".pth", ".pt")
NAMES_SHOWN = 3


@dataclass(frozen=True)
class Report:
    """What became of a file's weights; every weight of the network is among `matched` or `drawn`."""

    path: Path
    origin: str
    options: dict[str, Any]
    """With which the network computes what it did where the weights come from."""
    matched: int
    folded: int
    """Biases of convolutions that went into the moving means after them, where ours have none."""
    drawn: tuple[str, ...]
    """Weights of ours that are as they were drawn: the classifier's, of another number of classes."""
    left_out: tuple[str, ...]
    """Weights in the file that have no place: those of auxiliary heads, which serve in training only."""

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.matched} weights matched by name and shape, as {self.origin} names them."]
        if self.folded:
            lines.append(f"{self.folded} biases of convolutions went into the moving means that follow.")
        if self.drawn:
            lines.append(f"As drawn, since the file is of other classes: {', '.join(self.drawn)}.")
        if self.left_out:
            lines.append(f"Left out, since auxiliary heads serve in training only: {_some(self.left_out)}.")
        if self.options:
            options = ", ".join(f"{name}={value}" for name, value in self.options.items())
            lines.append(f"They were trained in a network with {options}.")
        return "\n".join(lines)


def variant(architecture: str, path: Path) -> Variant:
    """How the architecture of that name is built and fed to compute what the weights at `path` were trained in.

    Raises UnknownName, and WeightsUnusable where the file cannot be read, or where its origin has no such network.
    """
    return _variant(architectures.find(architecture).name, _origin(path), path)


def load(network: keras.Model, path: Path, *, other_classes: bool = False) -> Report:
    """Puts the weights of the file at `path` into `network`, one of architectures.build's.

    All of them fit, or none is put in. Only with `other_classes` the last layer may be of another
    number of classes than the file's, and stays as drawn then, to be trained. Where a network of ours
    was saved whole, its layers compute as those of `network` do; files of weights alone do not say how.

    Raises WeightsUnusable where the file cannot be read, or does not fit in names or shapes, or
    holds what is no number, or is of a network that was built with other options.
    """
    origin, arrays = _read(path)
    variant = _variant(network.name, origin, path)
    slots = _slots(network, origin)
    fitting, drawn, missing, wrong = _match(network, slots, origin, arrays, other_classes)
    folded = _fold_biases(network, origin, arrays, fitting)
    if unreal := [name for name, array in fitting.items() if not np.isfinite(array).all()]:
        raise WeightsUnusable(f"Weights are finite numbers; those of {path} are not in {_some(unreal)}. Get it again.")
    heads_left = tuple(name for name in arrays if AUXILIARY.match(name))
    left = [name for name in arrays if name not in heads_left]
    if missing or wrong or left:
        raise WeightsUnusable(_misfit(network, path, origin, missing, wrong, left))
    if origin is OURS:
        _check_settings(network, path)
    for slot in slots:
        if slot.ours in fitting:
            slot.variable.assign(fitting[slot.ours])
    return Report(path, origin.name, dict(variant.options), len(fitting), folded, tuple(drawn), heads_left)


@dataclass(frozen=True)
class Init:
    """The weights that a training begins with; `tell` is given the report of what became of them."""

    path: Path
    tell: Callable[[Report], None]

    def __call__(self, network: keras.Model) -> None:
        """Puts them into `network`, but for a classifier of other classes. Raises what `load` raises."""
        self.tell(load(network, self.path, other_classes=True))

    def __str__(self) -> str:
        return f"{self.path.name}, sha256 {sha256_of(self.path)}"


class _Slot(NamedTuple):
    """A weight of ours and its name in the file."""

    layer: keras.layers.Layer
    variable: keras.Variable
    ours: str
    theirs: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.variable.shape)


def _read(path: Path) -> tuple[Origin, Arrays]:
    """Where the weights at `path` come from, and the weights."""
    if path.suffix in TORCH_FILES:
        return TORCHVISION, by_name(torchvision.named_as_now(torch_files.read(path)), path)
    arrays = by_name(keras_applications.named_as_now(keras_files.read(path)), path)
    first_layers = ("block1_conv1/kernel", "conv1_conv/kernel")  # of keras.applications; none of ours is called so
    return KERAS_APPLICATIONS if any(name in arrays for name in first_layers) else OURS, arrays


def _origin(path: Path) -> Origin:
    return TORCHVISION if path.suffix in TORCH_FILES else _read(path)[0]


def _variant(architecture: str, origin: Origin, path: Path) -> Variant:
    if architecture not in origin.variants:
        raise WeightsUnusable(
            f"{origin.name} has weights of {', '.join(origin.variants)}; {path} is to go into {architecture}. "
            "Take a file of the same network."
        )
    return origin.variants[architecture]


def _slots(network: keras.Model, origin: Origin) -> list[_Slot]:
    names = origin.layer_names(network)
    return [
        _Slot(layer, variable, f"{layer.name}/{part}", origin.key(names[layer.name], part))
        for layer in network.layers
        for variable, part in zip(layer.weights, keras_files.parts(len(layer.weights)), strict=True)
    ]


def _match(
    network: keras.Model, slots: list[_Slot], origin: Origin, arrays: Arrays, other_classes: bool
) -> tuple[Arrays, list[str], list[str], list[str]]:
    """Takes what `slots` are to get out of `arrays`: by our names, with axes in our order.

    Beside it, our names of weights that stay as drawn, their names of those that are missing, and, in
    words, those of another shape.
    """
    heads = {layer.name for layer in network.layers if any(layer.output is each for each in network.outputs)}
    fitting, drawn, missing, wrong = {}, [], [], []
    for slot in slots:
        if slot.theirs not in arrays:
            missing.append(slot.theirs)
            continue
        array = origin.our_axes(arrays.pop(slot.theirs), slot.layer, network)
        if array.shape == slot.shape:
            fitting[slot.ours] = array
        elif other_classes and slot.layer.name in heads and array.shape[:-1] == slot.shape[:-1]:
            drawn.append(slot.ours)
        else:
            wrong.append(f"{slot.theirs} {list(array.shape)} for {list(slot.shape)}")
    return fitting, drawn, missing, wrong


def _fold_biases(network: keras.Model, origin: Origin, arrays: Arrays, fitting: Arrays) -> int:
    """Takes biases that our convolutions lack out of `arrays` and off the means of the normalisation that follows.

    Exact: what is normalised is the convolution, plus its bias, minus the mean. Returns how many.
    """
    names, folded = origin.layer_names(network), 0
    normalised = {
        id(layer.input): f"{layer.name}/moving_mean"
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    for layer in network.layers:
        if not isinstance(layer, keras.layers.Conv2D) or layer.use_bias:
            continue
        bias, mean = origin.key(names[layer.name], "bias"), normalised.get(id(layer.output))
        if bias in arrays and mean in fitting and arrays[bias].shape == fitting[mean].shape:
            fitting[mean] = fitting[mean] - arrays.pop(bias)
            folded += 1
    return folded


def _check_settings(network: keras.Model, path: Path) -> None:
    """Raises WeightsUnusable where the file at `path` says that its layers compute otherwise than those of `network`.

    A file of weights alone says nothing.
    """
    saved = keras_files.settings(path, network.name)
    if saved and (unlike := layer_settings.differences(saved, network)):
        raise WeightsUnusable(
            f"Weights go into a network that computes as theirs did; {path} was saved from a {network.name} that was "
            f"built otherwise: {_some(unlike)}. Give the options that it was built with (--option NAME=VALUE)."
        )


def _misfit(network: keras.Model, path: Path, origin: Origin, missing: list, wrong: list, left: list) -> str:
    kinds = (("missing", missing), ("of another shape", wrong), ("left over", left))
    found = "; ".join(f"{len(names)} {kind}: {_some(names)}" for kind, names in kinds if names)
    way_out = origin.variants[network.name].unlike or "Take a file of the same network and number of classes."
    return (
        f"Weights fit a network by name and shape, each of them; {path}, read as {origin.name}'s, does not fit "
        f"{network.name}: {found}. {way_out}"
    )


def _some(names: list[str] | tuple[str, ...]) -> str:
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
