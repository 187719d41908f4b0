"""Every network learns from small pictures, and survives being written down."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.architectures.outlines import outlined
from tests.training.architectures.small import SMALL, build_small, noise


@pytest.mark.parametrize("name", SMALL)
def test_a_step_of_training_moves_every_weight(name):
    network = build_small(name, **{"training_heads": True} if name == "googlenet" else {})
    labels, losses = np.array([0, 1, 2, 3]), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        outputs = network(noise(4), training=True)
        heads = outputs.values() if isinstance(outputs, dict) else [outputs]
        loss = sum(losses(labels, logits) for logits in heads)
    gradients = tape.gradient(loss, [variable.value for variable in network.trainable_variables])
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
    still = [v.path for v, gradient in zip(network.trainable_variables, gradients, strict=True) if not np.any(gradient)]
    assert still == []


@pytest.mark.parametrize("name", [name for name, options in SMALL.items() if "stem" in options])
def test_a_small_stem_neither_strides_nor_pools_at_once(name):
    network = outlined(name, stem="small")
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    assert tuple(first.strides) == (1, 1)
    assert first.output.shape[1:3] == (32, 32)
    assert "pool1" not in [layer.name for layer in network.layers]


PAPERS = {"alexnet": "RandomNormal", "zfnet": "RandomNormal", "vgg-a": "GlorotUniform", "googlenet": "GlorotUniform"}


@pytest.mark.parametrize(("name", "papers"), PAPERS.items())
def test_weights_begin_as_in_the_paper_and_behind_a_small_stem_as_hes(name, papers):
    for options, kind in ({}, papers), ({"stem": "small"}, "HeNormal"):
        network = outlined(name, **options)
        kernels = [layer.kernel_initializer for layer in network.layers if hasattr(layer, "kernel")]
        assert {type(each).__name__ for each in kernels} == {kind}


def test_the_width_of_the_dense_layers_is_a_parameter():
    for name in ("alexnet", "zfnet", "vgg-a"):
        network = build_small(name, fc_width=24)
        assert [network.get_layer(layer).units for layer in ("fc6", "fc7")] == [24, 24]


@pytest.mark.parametrize("name", ["lenet5-1998", "alexnet", "resnet20"])
def test_a_network_is_the_same_after_saving_and_exporting(name, tmp_path):
    network, pictures = build_small(name), noise(3)
    expected = np.array(network(pictures))
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded(pictures), expected, atol=1e-5)
    network.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(pictures), expected, atol=1e-4)
