"""The one way in: names, options, sizes, and what every network promises."""

import keras
import numpy as np
import pytest

from tests.training.architectures.outlines import outlined
from tests.training.architectures.small import SMALL, build_small, noise
from training import architectures
from training.errors import BadRecipe, UnknownName
from training.precision import computing_in


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("VGG-D", "vgg-d"),
        ("vgg_16", "vgg-d"),
        ("VGG 19", "vgg-e"),
        ("vgg-A-LRN", "vgg-a-lrn"),
        ("ResNet-50", "resnet50"),
        ("LeNet-5", "lenet5"),
        ("GoogLeNet", "googlenet"),
        ("DenseNet-121", "densenet121"),
        ("DenseNet-40", "densenet40-k12"),
        ("DenseNet-BC-100-k12", "densenet-bc100-k12"),
    ],
)
def test_a_name_is_understood_as_papers_and_libraries_write_it(typed, meant):
    assert architectures.find(typed).name == meant


NEAREST = [
    *(("lenet", "lenet5"), ("resnet51", "resnet5"), ("alexnte", "alexnet")),
    *(("ResNet-51", "resnet5"), ("DENSENET122", "densenet121"), ("vgg 17", "vgg-"), ("Inception-v2", "googlenet")),
]


@pytest.mark.parametrize(("typed", "nearest"), NEAREST)
def test_an_unknown_architecture_is_answered_with_the_nearest(typed, nearest):
    with pytest.raises(UnknownName, match=rf"'{typed}' came.*Did you mean '{nearest}"):
        architectures.build(typed)


def test_an_unknown_option_is_answered_with_those_there_are():
    with pytest.raises(
        UnknownName, match=r"An option of alexnet is one of dropout, fc_width, groups, lrn, stem, width; 'lnr'"
    ):
        architectures.build("alexnet", lnr="off")


def test_a_value_that_keras_does_not_know_is_refused_in_its_words():
    with pytest.raises(BadRecipe, match=r"lenet5 cannot be from \{'activation': 'tnah'\}.*tnah"):
        architectures.build("lenet5", activation="tnah")


@pytest.mark.parametrize(
    ("name", "option", "value", "rule"),
    [
        ("alexnet", "lrn", "of", "'paper' or 'caffe' or 'off'"),
        ("alexnet", "groups", 3, "1 or 2"),
        ("alexnet", "fc_width", 0.5, "a whole number"),
        ("alexnet", "dropout", "half", "a number"),
        ("resnet50", "v1_5", "yes", "true or false"),
        ("vgg-d", "stem", True, "'paper' or 'small'"),
        ("alexnet", "width", 0, "a finite number above 0"),
        ("resnet50", "bn_epsilon", -1.0, "a finite number above 0"),
        ("vgg-d", "dropout", 1.5, "a number from 0 to below 1"),
        ("zfnet", "fc_width", 0, "a whole number, 1 or more"),
        ("densenet-bc100-k12", "blocks", -3, "a whole number, 0 or more"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_refused(name, option, value, rule):
    with pytest.raises(BadRecipe, match=rf"{option} of {name} is {rule}; {value!r} came"):
        architectures.build(name, **{option: value})


@pytest.mark.parametrize(
    ("name", "smallest", "options"),
    [
        ("lenet5", 16, {}),
        ("lenet5-1998", 32, {}),
        ("alexnet", 39, {}),
        ("zfnet", 47, {}),
        ("vgg-d", 32, {}),
        ("vgg-d", 16, {"stem": "small"}),
        ("googlenet", 79, {"training_heads": True}),
        ("densenet40-k12", 4, {"blocks": 1}),
    ],
)
def test_an_input_that_is_too_small_is_answered_with_the_smallest(name, smallest, options):
    rule = f"{name} takes pictures of {smallest} x {smallest} pixels and more; 99 x {smallest - 1} came"
    with pytest.raises(BadRecipe, match=rule) as refused:
        architectures.build(name, 10, (99, smallest - 1, 3), **options)
    offered = "stem" not in options and not name.startswith(("lenet", "densenet40"))
    assert ("stem=small" in str(refused.value)) is offered


@pytest.mark.parametrize("name", SMALL)
def test_logits_are_float32_under_mixed_precision(name):
    with computing_in("bfloat16"):
        network = build_small(name)
    logits = network(noise(2))
    assert (logits.dtype, logits.shape) == ("float32", (2, 5))
    assert np.isfinite(logits).all()
    assert {layer.compute_dtype for layer in network.layers[1:-1]} == {"bfloat16"}


@pytest.mark.parametrize("name", architectures.FAMILIES)
def test_float32_pictures_become_float32_logits(name):
    row, network = architectures.find(name), outlined(name)
    assert network.name == name
    assert (network.input_shape, network.input_dtype) == ((None, *row.input_shape), "float32")
    assert network.output_shape == (None, row.classes)
    assert network.layers[-1].dtype_policy.name == "float32"


def test_a_thousand_classes_are_the_default_and_a_small_stem_takes_small_pictures():
    network = architectures.build("alexnet", stem="small", fc_width=8)
    assert (network.input_shape, network.output_shape) == ((None, 32, 32, 3), (None, 1000))


def test_the_same_seed_draws_the_same_weights():
    weights = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        weights.append(build_small("alexnet").get_weights())
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["alexnet", "zfnet"])
def test_every_layer_draws_weights_of_its_own(name):
    network = architectures.build(name, 10, (67, 67, 3), fc_width=16)
    kernels = [layer.kernel for layer in network.layers if hasattr(layer, "kernel")]
    assert len({tuple(np.ravel(kernel)[:9]) for kernel in kernels}) == len(kernels) == 8


def test_an_outline_takes_no_memory_and_promises_none():
    network = outlined("vgg-e")
    with keras.StatelessScope():
        pass  # on leaving, it makes the variables that its thread has promised
    assert all(weight._value is None for weight in network.weights)
