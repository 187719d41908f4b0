"""Networks over pictures larger than their input, held to what the papers say of it, crop by crop."""

import keras
import numpy as np
import pytest
from keras import layers

from tests.training.architectures.small import SMALL, build_small, noise
from training import architectures
from training.architectures.layers_of_1998 import Subsampling
from training.fully_convolutional import fully_convolutional
from training.preprocessing import PRESETS, behind

FLATTENED = ("lenet5", "alexnet", "zfnet", "vgg-a", "vgg-a-lrn")
POOLED = ("googlenet", "resnet18", "resnet20", "densenet40-k12")


def scores_of(network, pictures):
    return np.asarray(network(pictures, training=False))


@pytest.mark.parametrize("name", FLATTENED + POOLED)
def test_a_picture_of_the_inputs_size_gets_the_scores_of_the_network_itself(name):
    network = build_small(name)
    expected = scores_of(network, noise(2))
    np.testing.assert_allclose(scores_of(fully_convolutional(network), noise(2)), expected, rtol=1e-4, atol=1e-5)


def test_an_unpadded_network_averages_the_scores_of_all_crops_at_its_stride():
    """Sermanet et al. 2013, section 3.5: what a network applied at every place would have computed, and no more."""
    network, pictures = build_small("lenet5"), noise(2, side=44)
    crops = [pictures[:, top : top + 32, left : left + 32] for top in (0, 4, 8, 12) for left in (0, 4, 8, 12)]
    expected = np.mean([scores_of(network, crop) for crop in crops], axis=0)
    np.testing.assert_allclose(scores_of(fully_convolutional(network), pictures), expected, atol=1e-5)


def test_a_picture_may_be_longer_than_high():
    network, pictures = build_small("lenet5"), noise(2, side=40)[:, :32]
    expected = np.mean([scores_of(network, pictures[:, :, left : left + 32]) for left in (0, 4, 8)], axis=0)
    np.testing.assert_allclose(scores_of(fully_convolutional(network), pictures), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["alexnet", "vgg-a"])
def test_a_padded_network_sees_every_window_of_the_maps_of_the_whole_picture(name):
    """Simonyan and Zisserman 2014, section 3.2: the layers before the first dense one are applied to the whole image,
    and "the class score map is spatially averaged"."""
    network = build_small(name)
    pictures = noise(2, side=64)
    flatten = network.get_layer("flatten")
    trunk = keras.Model(network.input, flatten.input)
    trunk = keras.models.clone_model(trunk, input_tensors=keras.Input((64, 64, 3)), clone_function=lambda each: each)
    head = keras.Model(flatten.output, network.output)
    maps = scores_of(trunk, pictures)
    height, width, _ = flatten.input.shape[1:]
    windows = [
        maps[:, top : top + height, left : left + width]
        for top in range(maps.shape[1] - height + 1)
        for left in range(maps.shape[2] - width + 1)
    ]
    assert len(windows) > 1
    expected = np.mean([scores_of(head, window.reshape(2, -1)) for window in windows], axis=0)
    np.testing.assert_allclose(scores_of(fully_convolutional(network), pictures), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", POOLED)
def test_a_pooled_network_is_the_network_built_for_the_larger_picture(name):
    network = build_small(name)
    larger = architectures.build(name, 5, (48, 48, 3), **SMALL[name])
    larger.set_weights(network.get_weights())
    expected = scores_of(larger, noise(2, side=48))
    np.testing.assert_allclose(scores_of(fully_convolutional(network), noise(2, side=48)), expected, atol=1e-5)


def test_no_weight_is_copied():
    network = build_small("alexnet")
    everywhere = fully_convolutional(network)
    assert {id(each) for each in everywhere.variables} == {id(each) for each in network.variables}


def test_samples_are_prepared_as_they_were():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 36, 36, 3), np.uint8)
    model = behind(build_small("lenet5"), PRESETS["caffe"], (32, 32, 3))
    crops = [pictures[:, top : top + 32, left : left + 32] for top in (0, 4) for left in (0, 4)]
    expected = np.mean([scores_of(model, crop) for crop in crops], axis=0)
    np.testing.assert_allclose(scores_of(fully_convolutional(model), pictures), expected, rtol=1e-4, atol=1e-5)


def test_half_precision_stays_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = build_small("lenet5")
        everywhere = fully_convolutional(network)
    finally:
        keras.config.set_dtype_policy("float32")
    given = everywhere(noise(2), training=False)
    assert given.dtype == "float32"
    np.testing.assert_allclose(given, scores_of(network, noise(2)), atol=0.05)


@pytest.mark.parametrize(
    "head",
    [
        [layers.Reshape((16, 12)), layers.Flatten(), layers.Dense(5)],
        [layers.Flatten()],
        [layers.Flatten(), layers.BatchNormalization(), layers.Dense(5)],
        [layers.Flatten(), layers.Dense(8), layers.BatchNormalization(), layers.Dense(5)],
        [Subsampling(), layers.Flatten(), layers.Dense(5)],
    ],
    ids=["reshaped", "no scores", "flattened units told apart", "dense units told apart", "a layer not known"],
)
def test_a_network_that_minds_the_size_has_no_such_form(head):
    assert fully_convolutional(keras.Sequential([keras.Input((8, 8, 3)), *head])) is None


def test_the_lenet_of_1998_has_no_such_form():
    assert fully_convolutional(build_small("lenet5-1998")) is None


def test_a_model_with_a_call_of_its_own_has_no_such_form():
    @keras.saving.register_keras_serializable("tests")
    class Squared(keras.Model):
        def call(self, inputs):
            return super().call(inputs) ** 2

    pooled = keras.Input((8, 8, 3))
    inner = Squared(pooled, layers.Dense(5)(layers.GlobalAveragePooling2D()(pooled)))
    outer = keras.Input((8, 8, 3))
    assert fully_convolutional(keras.Model(outer, inner(outer))) is None


def test_units_may_be_dropped_and_activated_on_the_way():
    head = [layers.Flatten(), layers.Dropout(0.9), layers.Dense(6), layers.ReLU(), layers.Dense(5, use_bias=False)]
    network = keras.Sequential([keras.Input((8, 6, 3)), *head])
    pictures = noise(2, side=9)
    crops = [pictures[:, top : top + 8, left : left + 6] for top in range(2) for left in range(4)]
    expected = np.mean([scores_of(network, crop) for crop in crops], axis=0)
    np.testing.assert_allclose(scores_of(fully_convolutional(network), pictures), expected, atol=1e-5)
