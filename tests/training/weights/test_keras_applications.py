"""Files of keras.applications: the same logits in our networks, with random weights everywhere."""

import keras
import numpy as np
import pytest

from tests.training.architectures.outlines import outlined
from tests.training.architectures.small import noise
from training import architectures, weights
from training.architectures.outline import outline
from training.weights.keras_applications import KERAS_APPLICATIONS, named_as_now

CLASSES = 7


def randomise(network: keras.Model) -> None:
    """Draws every weight anew, so that moving statistics and biases count too."""
    generator = np.random.default_rng(0)
    for variable in network.weights:
        shape = tuple(variable.shape)
        draw = generator.standard_normal(shape, np.float32) * np.sqrt(2 / max(1, np.prod(shape[:-1])))
        one = 1 if variable.name in ("gamma", "moving_variance") else 0
        variable.assign(draw if len(shape) > 1 else one + 0.1 * np.clip(draw, -1, 1))


@pytest.mark.parametrize(
    ("architecture", "theirs", "file", "side", "matched", "folded"),
    [
        ("vgg-d", "VGG16", "whole.h5", 32, 32, 0),
        ("resnet50", "ResNet50", "only.weights.h5", 65, 267, 53),
        ("densenet121", "DenseNet121", "whole.keras", 65, 606, 0),
    ],
)
def test_logits_are_those_of_keras(tmp_path, architecture, theirs, file, side, matched, folded):
    path = tmp_path / file
    shape = {"classes": CLASSES, "input_shape": (side, side, 3)}
    others = getattr(keras.applications, theirs)(weights=None, classifier_activation=None, **shape)
    randomise(others)
    others.save_weights(path) if ".weights." in file else others.save(path)
    network = architectures.build(architecture, **shape, **weights.variant(architecture, path).options)
    report = weights.load(network, path)
    assert (report.origin, report.matched, report.folded) == ("keras.applications", matched, folded)
    expected = np.array(others(noise(2, side)))
    np.testing.assert_allclose(network(noise(2, side)), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("architecture", "theirs"),
    [
        ("vgg-e", "VGG19"),
        ("resnet152", "ResNet152"),
        ("densenet201", "DenseNet201"),
    ],
)
def test_layers_have_their_names_and_shapes_there(architecture, theirs):
    ours = outlined(architecture, **KERAS_APPLICATIONS.variants[architecture].options)
    others = outline(lambda: getattr(keras.applications, theirs)(weights=None))
    names = KERAS_APPLICATIONS.layer_names(ours)
    shapes = {names[layer.name]: layer.weights[0].shape for layer in ours.layers if layer.weights}
    assert shapes == {layer.name: layer.weights[0].shape for layer in others.layers if layer.weights}


def test_names_of_the_published_densenets_are_understood():
    arrays = dict.fromkeys(["conv1/conv/kernel", "conv1/bn/gamma", "conv2_block1_1_conv/kernel", "conv1/kernel"], 0)
    assert list(named_as_now(arrays)) == [
        "conv1_conv/kernel",
        "conv1_bn/gamma",
        "conv2_block1_1_conv/kernel",
        "conv1/kernel",
    ]


@pytest.mark.parametrize(
    ("architecture", "preset"), [("vgg-d", "caffe"), ("resnet50", "caffe"), ("densenet121", "torch")]
)
def test_networks_are_fed_as_keras_fed_them(architecture, preset):
    assert KERAS_APPLICATIONS.variants[architecture].preprocessing == preset
