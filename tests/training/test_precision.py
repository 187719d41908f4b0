from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from training import architectures, data
from training.architectures.layers import LocalResponseNormalization, batch_normalise, convolve
from training.canvases import lay_out
from training.descent import compile_for_training
from training.fit import fit
from training.precision import computing_in
from training.preprocessing import Preprocessing, behind
from training.recipes.recipe import Recipe

SIXTEEN_BITS = ["bfloat16", "float16"]
SIDE, EPOCHS = 16, 8


def normalised_over_maps():
    """AlexNet, thin: sums of squares are delicate in 16 bits."""
    return architectures.build("alexnet", 10, (SIDE, SIDE, 1), stem="small", width=0.0625, fc_width=32, dropout=0.0)


def normalised_over_batches():
    """As the families normalise: moments are delicate in 16 bits."""
    x = inputs = keras.Input((SIDE, SIDE, 1))
    for name in ("first", "second"):
        x = keras.layers.ReLU()(batch_normalise(convolve(x, 16, 3, 2, name=name), 1e-5, name))
    return keras.Model(inputs, keras.layers.Dense(10, dtype="float32")(keras.layers.Flatten()(x)))


NETWORKS = [normalised_over_maps, normalised_over_batches]
LEARNED = [0.35, 0.15]
"""Errors that show learning, of 0.9 by chance. AlexNet's differ from seed to seed more than from type to type, and
from processor to processor, since some have bfloat16, so that a small loss is not told from none.
"""


@pytest.fixture(scope="module")
def digits():
    """640 pictures to learn from and 320 to measure on, uint8 [N, 16, 16, 1], and their classes."""
    whole = data.load("digits")
    images = lay_out(whole.train.images[:960], Recipe(input_side=SIDE, shorter_side=SIDE), 1)
    ids = whole.train.class_ids
    return (images[:640], ids[:640]), (images[640:], ids[640:960])


def learn(network, mixed_precision, digits):
    """The loss of each epoch, the model, and its error on the pictures to measure on."""
    keras.utils.set_random_seed(0)
    recipe = Recipe(epochs=EPOCHS, batch_size=32, learning_rate=0.02, warmup=1, mixed_precision=mixed_precision)
    with computing_in(mixed_precision):
        model = behind(network(), Preprocessing((64.0,), (1 / 64,)), (SIDE, SIDE, 1))
    compile_for_training(model, recipe, steps=20)
    learning, measured = digits
    history = model.fit(*learning, batch_size=32, epochs=EPOCHS, shuffle=False, verbose=0).history
    error = (model.predict(measured[0], verbose=0).argmax(axis=-1) != measured[1]).mean()
    return history["loss"], model, error


@pytest.mark.parametrize("mixed_precision", ["off", *SIXTEEN_BITS])
@pytest.mark.parametrize(("network", "learned"), list(zip(NETWORKS, LEARNED, strict=True)))
def test_sixteen_bits_learn_where_float32_does(network, learned, mixed_precision, digits):
    losses, model, error = learn(network, mixed_precision, digits)
    assert np.isfinite(losses).all()
    assert error < learned
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert model.output.dtype == "float32"


@pytest.mark.parametrize("mixed_precision", SIXTEEN_BITS)
@pytest.mark.parametrize("network", NETWORKS)
def test_layers_compute_in_sixteen_bits_and_give_logits_of_float32(network, mixed_precision):
    with computing_in(mixed_precision):
        model = network()
    assert model.output.dtype == "float32"
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert {layer.compute_dtype for layer in convolutions} == {mixed_precision}
    assert {layer.variable_dtype for layer in convolutions} == {"float32"}


@pytest.mark.parametrize(("mixed_precision", "rounding"), [("float16", 2**-11), ("bfloat16", 2**-8)])
def test_normalisation_over_maps_rounds_only_what_it_gives(mixed_precision, rounding):
    """Squares of 300 are beyond float16, and their sums beyond what bfloat16 tells apart."""
    maps = tf.cast(np.random.default_rng(0).uniform(200, 300, (1, 2, 2, 8)), mixed_precision)
    exact = LocalResponseNormalization(dtype="float32")(tf.cast(maps, "float32"))
    found = LocalResponseNormalization(dtype=f"mixed_{mixed_precision}")(maps)
    assert found.dtype == mixed_precision
    np.testing.assert_allclose(tf.cast(found, "float32"), exact, rtol=rounding)


class Overflow(keras.callbacks.Callback):
    """Scales the loss so far up after the first step that gradients are beyond float16; keeps the scale and a
    weight after each step.
    """

    def __init__(self):
        super().__init__()
        self.scales, self.weights = [], []

    def on_train_batch_end(self, batch, logs=None):
        scale = self.model.optimizer.dynamic_scale
        if not self.scales:
            scale.assign(2.0**100)
        self.scales.append(float(scale))
        self.weights.append(np.asarray(self.model.trainable_variables[0]))


def test_a_step_that_overflows_float16_changes_no_weight_and_halves_the_scale_of_the_loss(
    tiny_recipe, tiny_data, run_directory
):
    watch = Overflow()
    fit(replace(tiny_recipe, mixed_precision="float16"), tiny_data, 0, run_directory, [watch])
    np.testing.assert_array_equal(watch.scales, 2.0 ** np.arange(100, 90, -1))
    for weights in watch.weights[1:]:
        np.testing.assert_array_equal(weights, watch.weights[0])


def test_precision_is_afterwards_as_it_was_before():
    before = keras.config.dtype_policy().name
    with pytest.raises(RuntimeError), computing_in("bfloat16"):
        raise RuntimeError
    assert keras.config.dtype_policy().name == before
