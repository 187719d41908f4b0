"""Weights are matched by name and shape: all of them, or none; what is left over is said."""

import h5py
import keras
import numpy as np
import pytest

from tests.training.architectures.small import SMALL, build_small, noise
from tests.training.weights import legacy_writer
from tests.training.weights import torch_writer as torch
from training import architectures, weights
from training.errors import WeightsUnusable


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.weights.h5"


def lenet(classes=4, seed=0):
    keras.utils.set_random_seed(seed)
    return architectures.build("lenet5", classes)


def same(ours, theirs):
    pairs = zip(ours.get_weights(), theirs.get_weights(), strict=True)
    return all(np.array_equal(mine, their) for mine, their in pairs)


@pytest.mark.parametrize("name", ["mine.keras", "mine.weights.h5", "mine.h5"])
def test_a_network_that_was_saved_is_read_back(tmp_path, name):
    path = tmp_path / name
    saved, network = lenet(seed=1), lenet(seed=2)
    saved.compile("adam", "mse")  # its state is in the file too
    saved.save_weights(path) if "weights" in name else saved.save(path)
    report = weights.load(network, path)
    assert same(network, saved)
    assert str(report) == f"{path}: 10 weights matched by name and shape, as tencrop names them."


def wrapped(network):
    """`network` as it is often saved: behind its scaling, and with a softmax."""
    pictures = keras.Input(network.input_shape[1:])
    logits = network(keras.layers.Rescaling(1 / 255)(pictures))
    return keras.Model(pictures, keras.layers.Activation("softmax")(logits))


@pytest.mark.parametrize("name", ["mine.keras", "mine.weights.h5", "mine.h5"])
def test_a_network_behind_its_scaling_is_found(tmp_path, name):
    path = tmp_path / name
    saved, network = lenet(seed=1), lenet(seed=2)
    wrapped(saved).save_weights(path) if "weights" in name else wrapped(saved).save(path)
    weights.load(network, path)
    assert same(network, saved)


@pytest.mark.parametrize("name", ["mine.weights.h5", "mine.h5"])
def test_two_networks_in_one_file_are_refused(tmp_path, name):
    path = tmp_path / name
    pictures = keras.Input((32, 32, 1))
    other = lenet(seed=2)
    other = keras.Model(other.input, other.output, name="other")
    both = keras.Model(pictures, lenet(seed=1)(pictures) + other(pictures))
    both.save_weights(path) if "weights" in name else both.save(path)
    with pytest.raises(WeightsUnusable, match=r"A weight comes once in a file; \w+/kernel comes twice"):
        weights.load(lenet(), path)


@pytest.mark.parametrize("form", ["keras", "h5"])
@pytest.mark.parametrize(
    ("architecture", "options", "words"),
    [
        ("lenet5", {"activation": "relu"}, "c1 has activation relu in the file, tanh in the network"),
        ("resnet20", {"bn_epsilon": 1e-3}, "conv1_bn has epsilon 0.001 in the file, 1e-05 in the network"),
        ("vgg-a-lrn", {"lrn": "caffe"}, "norm1 has constants caffe in the file, paper in the network"),
        ("vgg-a-lrn", {"lrn": "off"}, "norm1 is not in the file"),
    ],
)
def test_a_network_that_was_built_with_other_options_is_refused(tmp_path, form, architecture, options, words):
    path = tmp_path / f"mine.{form}"
    small = SMALL[architecture]
    saved = architectures.build(architecture, 4, **small, **options)
    saved.save(path)
    with pytest.raises(WeightsUnusable, match=rf"built otherwise: {words}.*\(--option NAME=VALUE\)"):
        weights.load(architectures.build(architecture, 4, **small), path)
    network = architectures.build(architecture, 4, **small, **options)
    weights.load(network, path)
    assert same(network, saved)


def test_options_are_compared_in_a_network_behind_its_scaling_too(tmp_path):
    path = tmp_path / "mine.keras"
    wrapped(architectures.build("lenet5", 4, activation="relu")).save(path)
    with pytest.raises(WeightsUnusable, match="built otherwise: c1 has activation relu"):
        weights.load(lenet(), path)


def test_layers_without_a_kernel_are_matched_too(path):
    saved, network = architectures.build("lenet5-1998"), architectures.build("lenet5-1998")
    saved.save_weights(path)
    weights.load(network, path)
    assert same(network, saved)


@pytest.mark.parametrize(
    "form", [{}, {"cut": 1}, {"cut": 3}, {"renamed": {"kernel": "W_1", "bias": "b_1"}.get}], ids=str
)
def test_files_of_weights_alone_of_earlier_versions_are_read(tmp_path, form):
    path = tmp_path / "old.h5"
    saved, network = lenet(seed=1), lenet(seed=2)
    legacy_writer.write(path, saved, **form)
    weights.load(network, path)
    assert same(network, saved)


def test_a_layer_is_called_as_its_group_whatever_a_graph_of_keras_2_called_its_weights(tmp_path):
    path = tmp_path / "old.h5"
    saved, network = lenet(seed=1), lenet(seed=2)
    legacy_writer.write(path, saved)
    with h5py.File(path, "a") as file:
        del file["c1"]
        c1 = saved.get_layer("c1")
        legacy_writer.write_group(file, "c1", {"c1_1/kernel:0": np.array(c1.kernel), "c1_1/bias:0": np.array(c1.bias)})
    weights.load(network, path)
    assert same(network, saved)


def test_a_classifier_of_other_classes_stays_as_drawn_only_where_that_is_said(path):
    saved, network = lenet(4, seed=1), lenet(3, seed=2)
    saved.save_weights(path)
    drawn = network.get_layer("output").get_weights()
    with pytest.raises(
        WeightsUnusable, match=r"2 of another shape: output/kernel \[84, 4\] for \[84, 3\], output/bias"
    ):
        weights.load(network, path)
    report = weights.load(network, path, other_classes=True)
    assert report.drawn == ("output/kernel", "output/bias")
    assert "As drawn, since the file is of other classes: output/kernel, output/bias." in str(report)
    np.testing.assert_array_equal(network.get_layer("output").get_weights()[0], drawn[0])
    np.testing.assert_array_equal(network.get_layer("f6").get_weights()[0], saved.get_layer("f6").get_weights()[0])


@pytest.mark.parametrize("other_classes", [False, True])
def test_a_network_of_other_widths_is_refused_and_nothing_is_put_in(path, other_classes):
    build_small("alexnet", fc_width=16).save_weights(path)
    network = build_small("alexnet")
    before = network.get_weights()
    with pytest.raises(WeightsUnusable, match=r"5 of another shape: fc6/kernel \[\d+, 16\] for .* and 2 more"):
        weights.load(network, path, other_classes=other_classes)
    for mine, untouched in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, untouched)


def test_a_file_of_another_network_is_refused_with_what_is_left_over_on_both_sides(path):
    build_small("vgg-a").save_weights(path)
    with pytest.raises(WeightsUnusable) as refused:
        weights.load(build_small("zfnet"), path)
    assert "10 missing: conv1/kernel, conv1/bias, conv2/kernel and 7 more" in str(refused.value)
    assert "16 left over: conv1_1/kernel, conv1_1/bias, conv2_1/kernel and 13 more" in str(refused.value)


def test_auxiliary_heads_in_the_file_are_left_out_and_said(path):
    saved = build_small("googlenet", training_heads=True)
    saved.save_weights(path)
    network = build_small("googlenet")
    report = weights.load(network, path)
    assert len(report.left_out) == 12
    assert "auxiliary heads serve in training only: aux1_conv/kernel" in str(report)
    np.testing.assert_array_equal(network(noise(1)), saved(noise(1))["linear"])


def test_all_three_heads_may_be_of_other_classes(path):
    build_small("googlenet", training_heads=True).save_weights(path)
    report = weights.load(build_small("googlenet", 3, training_heads=True), path, other_classes=True)
    assert {name.partition("/")[0] for name in report.drawn} == {"linear", "aux1_linear", "aux2_linear"}


def test_weights_that_are_no_numbers_are_refused(path):
    saved = lenet()
    saved.get_layer("c1").bias.assign([0, 0, np.nan, 0, 0, 0])
    saved.save_weights(path)
    with pytest.raises(WeightsUnusable, match=r"Weights are finite numbers; .* not in c1/bias"):
        weights.load(lenet(), path)


def test_a_network_that_torchvision_does_not_have_is_refused(tmp_path):
    path = tmp_path / "alexnet.pth"
    torch.save(path, {"features.0.weight": np.zeros((64, 3, 11, 11), np.float32)})
    with pytest.raises(WeightsUnusable, match=r"torchvision has weights of vgg-a, .* is to go into alexnet"):
        weights.load(build_small("alexnet"), path)


@pytest.mark.parametrize("name", ["mine.keras", "mine.h5"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"no weights")
    with pytest.raises(WeightsUnusable, match="cannot be read"):
        weights.load(lenet(), path)


def test_weights_without_their_layers_names_are_refused(path):
    lenet().save_weights(path)
    with h5py.File(path, "a") as file:
        for group in file["layers"].values():
            group["vars"].attrs.clear()
    with pytest.raises(WeightsUnusable, match=r"matched by their layers' names, which .* leaves out"):
        weights.load(lenet(), path)
