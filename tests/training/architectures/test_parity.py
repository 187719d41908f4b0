"""Weight for weight the networks that Keras has too: VGG, ResNet and DenseNet give the same logits."""

import re

import keras
import numpy as np

from tests.training.architectures.small import noise
from training import architectures

EPSILON = 1.001e-5  # of keras.applications


def randomise(network: keras.Model) -> None:
    """Draws every weight anew, so that moving statistics and biases count too."""
    generator = np.random.default_rng(0)
    for variable in network.weights:
        draw = generator.normal(size=variable.shape, scale=np.sqrt(2 / max(1, np.prod(variable.shape[:-1]))))
        one = 1 if variable.name in ("gamma", "moving_variance") else 0
        variable.assign(draw if len(variable.shape) > 1 else one + 0.1 * np.clip(draw, -1, 1))


def assert_equal(ours: keras.Model, theirs: keras.Model, their_name) -> None:
    """The same logits at every class, once our weights have been copied into `theirs`, layer by layer."""
    randomise(ours)
    for layer in ours.layers:
        if layer.weights:
            weights, target = layer.get_weights(), theirs.get_layer(their_name(layer.name))
            if len(weights) < len(target.weights):  # theirs has a bias
                weights.append(np.zeros(target.weights[-1].shape, np.float32))
            target.set_weights(weights)
    assert sum(bool(layer.weights) for layer in theirs.layers) == sum(bool(layer.weights) for layer in ours.layers)
    pictures = noise(2, side=ours.input_shape[1])
    expected = np.array(theirs(pictures))
    np.testing.assert_allclose(ours(pictures), expected, atol=1e-3 * np.abs(expected).max())


def test_vgg_is_kerass():
    shape = {"classes": 7, "input_shape": (32, 32, 3)}
    for name, theirs in (("vgg-d", keras.applications.VGG16), ("vgg-e", keras.applications.VGG19)):
        others = theirs(weights=None, classifier_activation=None, **shape)
        assert_equal(architectures.build(name, **shape), others, vgg_name)


def vgg_name(name: str) -> str:
    names = {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}
    return names.get(name) or re.sub(r"conv(\d)_(\d)", r"block\1_conv\2", name)


def test_resnet_is_kerass():
    shape = {"classes": 7, "input_shape": (65, 65, 3)}
    ours = architectures.build("resnet50", **shape, stem_pooling="pad", bn_epsilon=EPSILON)
    theirs = keras.applications.ResNet50(weights=None, classifier_activation=None, **shape)
    assert_equal(ours, theirs, resnet_name)


def resnet_name(name: str) -> str:
    if name == "fc":
        return "predictions"
    theirs = re.sub(r"conv(\d)_(\d+)_(\d)", r"conv\1_block\2_\3", name.replace("shortcut", "0"))
    return theirs if name.endswith("_bn") else f"{theirs}_conv"


def test_densenet_is_kerass():
    shape = {"classes": 7, "input_shape": (65, 65, 3)}
    ours = architectures.build("densenet121", **shape, bn_epsilon=EPSILON)
    theirs = keras.applications.DenseNet121(weights=None, classifier_activation=None, **shape)
    assert_equal(ours, theirs, densenet_name)


def densenet_name(name: str) -> str:
    fixed = {"fc": "predictions", "conv1": "conv1_conv", "final_bn": "bn"}
    if name in fixed:
        return fixed[name]
    block = re.fullmatch(r"(dense|transition)(\d)(?:_(\d+)_(\dx\d))?(_bn)?", name)
    if not block:
        return name
    kind, number, layer, side, bn = block.groups()
    if kind == "transition":
        return f"pool{int(number) + 1}{bn or '_conv'}"
    place = {"1x1": (0, 1), "3x3": (1, 2)}[side][0 if bn else 1]
    return f"conv{int(number) + 1}_block{layer}_{place}{bn or '_conv'}"
