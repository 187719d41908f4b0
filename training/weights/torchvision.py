"""What torchvision calls the layers of our networks, and how its axes lie.

With the options given here a network computes what torchvision's does.
"""

import re
from collections.abc import Iterator

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from training.weights.origin import Arrays, Origin, Variant, family_of

PARTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def named_as_now(arrays: Arrays) -> Iterator[tuple[str, NDArray]]:
    """What is in a state dict but counters of batches, by the names of today: DenseNet's were "norm.1" for "norm1"."""
    for name, array in arrays.items():
        if not name.endswith("num_batches_tracked"):
            yield re.sub(r"\b(norm|conv)\.(\d)\b", r"\1\2", name), array


def _layer_names(network: keras.Model) -> dict[str, str]:
    family = family_of(network)
    if family == "vgg":
        return _vgg_names(network)
    rename = {"googlenet": _googlenet_name, "resnet": _resnet_name, "densenet": _densenet_name}[family]
    return {layer.name: rename(layer.name) for layer in network.layers if layer.weights}


def _our_axes(array: NDArray, layer: layers.Layer, network: keras.Model) -> NDArray:
    """Filters [out, in, height, width] become [height, width, in, out] and matrices [out, in] [in, out].

    Where a matrix follows a flattening, its rows go from [maps, height, width] to [height, width, maps].
    """
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    if array.ndim != 2:
        return array
    before = next(each for each in network.layers if each.output is layer.input)
    if isinstance(before, layers.Flatten) and array.shape[1] == np.prod(before.input.shape[1:]):
        height, width, maps = before.input.shape[1:]
        array = array.reshape(-1, maps, height, width).transpose(0, 2, 3, 1).reshape(len(array), -1)
    return array.T


def _vgg_names(network: keras.Model) -> dict[str, str]:
    """Convolutions, their ReLUs and poolings are numbered in one row, so are the dense layers', with dropout."""
    found, place = {"fc6": "classifier.0", "fc7": "classifier.3", "fc8": "classifier.6"}, 0
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            found[layer.name] = f"features.{place}"
            place += 2
        elif isinstance(layer, layers.MaxPooling2D):
            place += 1
    return found


def _googlenet_name(name: str) -> str:
    """inception_3a_5x5 -> inception3a.branch3.1.conv: branches in the order of the table, counted from 1."""
    layer, kind = (name.removesuffix("_bn"), "bn") if name.endswith("_bn") else (name, "conv")
    if inception := re.fullmatch(r"inception_(\d\w)_(\w+)", layer):
        branch = {
            "1x1": "branch1",
            "3x3_reduce": "branch2.0",
            "3x3": "branch2.1",
            "5x5_reduce": "branch3.0",
            "5x5": "branch3.1",
            "pool_proj": "branch4.1",
        }[inception[2]]
        return f"inception{inception[1]}.{branch}.{kind}"
    if head := re.fullmatch(r"(aux\d)_(\w+)", layer):
        return f"{head[1]}.{ {'conv': f'conv.{kind}', 'fc': 'fc1', 'linear': 'fc2'}[head[2]] }"
    if layer == "linear":
        return "fc"
    return f"{ {'conv2_reduce': 'conv2', 'conv2': 'conv3'}.get(layer, layer) }.{kind}"


def _resnet_name(name: str) -> str:
    """conv3_1_2_bn -> layer2.0.bn2"""
    if name in ("fc", "conv1"):
        return name
    if name == "conv1_bn":
        return "bn1"
    stage, block, part, bn = re.fullmatch(r"conv(\d)_(\d+)_(\d|shortcut)(_bn)?", name).groups()
    kind = "bn" if bn else "conv"
    part = f"downsample.{int(bool(bn))}" if part == "shortcut" else f"{kind}{part}"
    return f"layer{int(stage) - 1}.{int(block) - 1}.{part}"


def _densenet_name(name: str) -> str:
    """dense2_3_1x1_bn -> features.denseblock2.denselayer3.norm1"""
    fixed = {"conv1": "features.conv0", "conv1_bn": "features.norm0", "final_bn": "features.norm5", "fc": "classifier"}
    if name in fixed:
        return fixed[name]
    kind = "norm" if name.endswith("_bn") else "conv"
    if transition := re.fullmatch(r"transition(\d)(_bn)?", name):
        return f"features.transition{transition[1]}.{kind}"
    block, layer, side = re.fullmatch(r"dense(\d)_(\d+)_(\dx\d)(?:_bn)?", name).groups()
    return f"features.denseblock{block}.denselayer{layer}.{kind}{ {'1x1': 1, '3x3': 2}[side] }"


_VGG = Variant({}, "torch")
_GOOGLENET = Variant(
    {"batch_norm": True, "bn_epsilon": 1e-3},
    "torch",
    "Torchvision's published GoogLeNet is not the paper's network: its 5x5 branches have 3x3 filters, and its last "
    "pooling is 2x2 (https://github.com/pytorch/vision/issues/906), so none of its files fits. Train googlenet anew.",
)
# Torchvision pads before pooling, and strides in a bottleneck's 3x3 filters.
_RESNET = Variant({"v1_5": True, "stem_pooling": "pad", "bn_epsilon": 1e-5}, "torch")
_DENSENET = Variant({"stem_pooling": "pad", "bn_epsilon": 1e-5}, "torch")

TORCHVISION = Origin(
    "torchvision",
    dict.fromkeys(("vgg-a", "vgg-b", "vgg-d", "vgg-e"), _VGG)
    | {"googlenet": _GOOGLENET}
    | dict.fromkeys(("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"), _RESNET)
    | dict.fromkeys(("densenet121", "densenet161", "densenet169", "densenet201"), _DENSENET),
    _layer_names,
    lambda layer, part: f"{layer}.{PARTS[part]}",
    _our_axes,
)
