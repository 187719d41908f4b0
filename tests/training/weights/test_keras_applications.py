"""Files of keras.applications: the same logits in our networks, with random weights everywhere."""

import h5py
import keras
import numpy as np
import pytest

from tests.training.architectures.outlines import outlined
from tests.training.architectures.small import noise
from tests.training.weights import legacy_writer
from training import architectures, weights
from training.architectures.outline import outline
from training.errors import WeightsUnusable
from training.weights.keras_applications import KERAS_APPLICATIONS

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


@pytest.fixture(scope="module")
def resnet50():
    """Ours, as in keras.applications, for 32 x 32 pixels."""
    return architectures.build("resnet50", 3, (32, 32, 3), **KERAS_APPLICATIONS.variants["resnet50"].options)


def write_as_published(path, network, old):
    """The weights of `network` by the names of layers there, of which `old` gives those that are others today."""
    names = KERAS_APPLICATIONS.layer_names(network)
    legacy_writer.write(path, network, layers={ours: old.get(theirs, theirs) for ours, theirs in names.items()})


OLD = {
    "resnet50": {"predictions": "probs"},
    "densenet121": {"conv1_conv": "conv1/conv", "conv1_bn": "conv1/bn", "predictions": "fc1000"},
}


@pytest.mark.parametrize("architecture", OLD)
def test_files_of_before_keras_had_the_applications_itself_are_read(tmp_path, architecture, request):
    path = tmp_path / "published.h5"
    network = (
        request.getfixturevalue("resnet50")
        if architecture == "resnet50"
        else architectures.build(architecture, 3, (32, 32, 3), **KERAS_APPLICATIONS.variants[architecture].options)
    )
    write_as_published(path, network, OLD[architecture])
    before = network.get_weights()
    for variable in network.weights:
        variable.assign(np.zeros(variable.shape))
    assert weights.load(network, path).origin == "keras.applications"
    assert all(map(np.array_equal, network.get_weights(), before))


def test_names_of_both_times_in_one_file_are_refused(tmp_path):
    path = tmp_path / "both.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["probs", "predictions"]
        for name in ("probs", "predictions"):
            legacy_writer.write_group(file, name, {f"{name}/kernel:0": np.zeros((2, 2))})
    with pytest.raises(WeightsUnusable, match="predictions/kernel comes twice"):
        weights.variant("resnet50", path)


def test_biases_that_are_no_numbers_do_not_come_in_by_the_means_that_they_go_into(tmp_path, resnet50):
    path = tmp_path / "published.h5"
    write_as_published(path, resnet50, {})
    kernel = np.array(resnet50.get_layer("conv1").kernel)
    with h5py.File(path, "a") as file:
        del file["conv1_conv"]
        with_bias = {"conv1_conv/kernel:0": kernel, "conv1_conv/bias:0": np.full(64, np.nan, np.float32)}
        legacy_writer.write_group(file, "conv1_conv", with_bias)
    with pytest.raises(WeightsUnusable, match=r"Weights are finite numbers; .* not in conv1_bn/moving_mean"):
        weights.load(resnet50, path)


@pytest.mark.parametrize(
    ("architecture", "preset"), [("vgg-d", "caffe"), ("resnet50", "caffe"), ("densenet121", "torch")]
)
def test_networks_are_fed_as_keras_fed_them(architecture, preset):
    assert KERAS_APPLICATIONS.variants[architecture].preprocessing == preset
