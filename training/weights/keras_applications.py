"""What keras.applications calls the layers of our networks.

With the options given here a network computes what Keras' does.
"""

import re
from collections.abc import Iterator

import keras
from numpy.typing import NDArray

from training.weights.origin import Arrays, Origin, Variant, family_of


def named_as_now(arrays: Arrays) -> Iterator[tuple[str, NDArray]]:
    """What is in `arrays`, by the names of today. Files of before Keras had the applications itself say "conv1/bn"
    for DenseNet's "conv1_bn", and its classifier is "fc1000" and ResNet's "probs" for "predictions".
    """
    for name, array in arrays.items():
        name = re.sub(r"^conv1/(conv|bn)/", r"conv1_\1/", name)
        yield re.sub(r"^(probs|fc1000)/", "predictions/", name), array


def _layer_names(network: keras.Model) -> dict[str, str]:
    rename = {"vgg": _vgg_name, "resnet": _resnet_name, "densenet": _densenet_name}[family_of(network)]
    return {layer.name: rename(layer.name) for layer in network.layers if layer.weights}


def _vgg_name(name: str) -> str:
    """conv3_2 -> block3_conv2"""
    dense = {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}
    return dense.get(name) or re.sub(r"conv(\d)_(\d)", r"block\1_conv\2", name)


def _resnet_name(name: str) -> str:
    """conv3_1_2_bn -> conv3_block1_2_bn; shortcuts are part 0."""
    if name == "fc":
        return "predictions"
    theirs = re.sub(r"conv(\d)_(\d+)_(\d)", r"conv\1_block\2_\3", name.replace("shortcut", "0"))
    return theirs if name.endswith("_bn") else f"{theirs}_conv"


def _densenet_name(name: str) -> str:
    """dense2_3_1x1 -> conv3_block3_1_conv; the normalisations of a layer are its parts 0 and 1."""
    fixed = {"fc": "predictions", "conv1": "conv1_conv", "conv1_bn": "conv1_bn", "final_bn": "bn"}
    if name in fixed:
        return fixed[name]
    if transition := re.fullmatch(r"transition(\d)(_bn)?", name):
        return f"pool{int(transition[1]) + 1}{transition[2] or '_conv'}"
    block, layer, side, bn = re.fullmatch(r"dense(\d)_(\d+)_(\dx\d)(_bn)?", name).groups()
    place = {"1x1": 1, "3x3": 2}[side] - bool(bn)
    return f"conv{int(block) + 1}_block{layer}_{place}{bn or '_conv'}"


_VGG = Variant({}, "caffe")
# Keras pads before pooling as Torch does, and has an epsilon of its own.
_RESNET = Variant({"stem_pooling": "pad", "bn_epsilon": 1.001e-5}, "caffe")
_DENSENET = Variant({"stem_pooling": "pad", "bn_epsilon": 1.001e-5}, "torch")

KERAS_APPLICATIONS = Origin(
    "keras.applications",
    dict.fromkeys(("vgg-d", "vgg-e"), _VGG)
    | dict.fromkeys(("resnet50", "resnet101", "resnet152"), _RESNET)
    | dict.fromkeys(("densenet121", "densenet169", "densenet201"), _DENSENET),
    _layer_names,
    lambda layer, part: f"{layer}/{part}",
    lambda array, layer, network: array,
)
