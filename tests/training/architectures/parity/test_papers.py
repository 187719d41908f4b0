"""Networks that torchvision does not have, or has otherwise: held against the papers once more, layer by layer."""

import keras
import pytest
import torch

from tests.training.architectures.parity import papers
from tests.training.architectures.parity.compare import (
    NO_DEVICE,
    assert_equal,
    assert_gradients_equal,
    assert_layers_equal,
    copy_weights,
    noise,
    randomise,
    to_torch,
)
from training import architectures

pytestmark = [pytest.mark.torchvision, NO_DEVICE]


def pair(model, name, side, **options):
    """`model` with random weights, and our network with the same."""
    randomise(model)
    network = architectures.build(name, papers.CLASSES, (*side, 3), **options)
    copy_weights(model, network)
    return model, network


def assert_same(model, network, count=2, tolerance=1e-5):
    """The same maps in every stage that `model` notes, and the same logits."""
    pictures = 3 * noise(count, *network.input_shape[1:3])  # so that normalisation over maps has something to do
    with torch.no_grad():
        logits = model(to_torch(pictures))
    assert len(model.maps) >= 8
    assert_layers_equal(network, pictures, model.maps, tolerance)
    ours, theirs = keras.tree.flatten(network(pictures)), keras.tree.flatten(logits)
    for mine, their in zip(ours, theirs, strict=True):
        assert_equal(mine, their, "the logits", tolerance)


@pytest.mark.parametrize("options", [{}, {"lrn": "caffe"}, {"groups": 1}], ids=str)
def test_alexnet(options):
    constants, groups = options.get("lrn", "paper"), options.get("groups", 2)
    assert_same(*pair(papers.AlexNet(constants, groups), "alexnet", (227, 227), **options))


def test_gradients_of_alexnet():
    model, network = pair(papers.AlexNet(), "alexnet", (227, 227))
    kernels = {"conv1": model.conv1.weight, "conv2": model.conv2.weight}
    assert_gradients_equal(network, model, noise(2, 227, 227), kernels)


@pytest.mark.parametrize("maps", [(512, 1024, 512), (384, 384, 256)])
def test_zfnet(maps):
    assert_same(*pair(papers.ZFNet(maps), "zfnet", (224, 224), maps="-".join(map(str, maps))))


VGG_A = ((3,), (3,), (3, 3), (3, 3), (3, 3))
VGG_C = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))


def test_vgg_c_and_its_filters_of_1x1():
    assert_same(*pair(papers.VGG(VGG_C, 70), "vgg-c", (70, 70)))


def test_vgg_a_with_normalisation_over_maps():
    assert_same(*pair(papers.VGG(VGG_A, 70, normalised=True), "vgg-a-lrn", (70, 70)))


@pytest.mark.parametrize("constants", ["paper", "caffe"])
def test_googlenet_and_its_heads(constants):
    model, network = pair(papers.GoogLeNet(constants), "googlenet", (224, 224), lrn=constants, training_heads=True)
    assert_same(model, network)


def test_googlenet_of_maps_of_even_and_odd_sides():
    model, network = pair(papers.GoogLeNet(head_side=3), "googlenet", (215, 222), training_heads=True)
    assert_same(model, network)


def test_gradients_of_googlenet_with_all_its_heads():
    model, network = pair(papers.GoogLeNet(), "googlenet", (224, 224), training_heads=True)
    kernels = {
        name: model.get_submodule(name).weight for name in ("conv1", "inception_3a_5x5", "inception_4a_pool_proj")
    }
    assert_gradients_equal(network, model, noise(1, 224, 224), kernels, tolerance=1e-3)


@pytest.mark.parametrize("side", [(32, 32), (31, 28)])
def test_cifar_resnet_and_its_shortcuts_of_option_a(side):
    assert_same(*pair(papers.CifarResNet(3), "resnet20", side), count=4)


@pytest.mark.parametrize(
    ("name", "layers", "stem", "bottleneck", "compression"),
    [("densenet40-k12", 12, 16, False, 1.0), ("densenet-bc100-k12", 16, 24, True, 0.5)],
)
def test_cifar_densenets(name, layers, stem, bottleneck, compression):
    assert_same(*pair(papers.CifarDenseNet(layers, stem, bottleneck, compression), name, (32, 32)), tolerance=1e-4)
