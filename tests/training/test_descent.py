from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.test_fit import PLAIN, InterruptAfterEpoch, assert_equal_to_the_bit, weights
from training.descent import LimitedFilters, compile_for_training, cross_entropy, top_1_error
from training.fit import fit, make_models
from training.recipes.recipe import Recipe

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0]], np.float32)
CLASS_IDS = np.array([0, 1], np.int32)


def negative_log_likelihood(logits, class_ids):
    return np.log(np.exp(logits).sum(axis=-1)) - logits[np.arange(len(logits)), class_ids]


def test_l2_adds_itself_times_the_kernel_to_the_gradient(tiny_recipe):
    _, model = make_models(tiny_recipe, 3, 1, PLAIN)
    compile_for_training(model, replace(tiny_recipe, l2=0.01), steps=1)
    kernels = [variable for variable in model.trainable_variables if variable.name == "kernel"]
    with tf.GradientTape() as tape:
        loss = sum(model.losses)
    gradients = tape.gradient(loss, [kernel.value for kernel in kernels])
    assert len(kernels) == len(model.losses) == 5
    for kernel, gradient in zip(kernels, gradients, strict=True):
        np.testing.assert_allclose(gradient, 0.01 * np.asarray(kernel), rtol=1e-5)


@pytest.mark.parametrize("class_ids", [CLASS_IDS, CLASS_IDS[:, None]])
def test_the_loss_is_the_cross_entropy(class_ids):
    np.testing.assert_allclose(
        cross_entropy(class_ids, tf.constant(LOGITS)), negative_log_likelihood(LOGITS, CLASS_IDS), rtol=1e-5
    )


def test_an_auxiliary_head_weighs_three_tenths_in_the_loss_and_nothing_in_the_error():
    others = LOGITS[:, ::-1], 2 * LOGITS
    heads = np.stack([LOGITS, *others], axis=1)
    main, *auxiliary = (negative_log_likelihood(each, CLASS_IDS) for each in (LOGITS, *others))
    np.testing.assert_allclose(cross_entropy(CLASS_IDS, tf.constant(heads)), main + 0.3 * sum(auxiliary), rtol=1e-5)
    np.testing.assert_array_equal(top_1_error(tf.constant(CLASS_IDS), tf.constant(heads)), [0, 1])


def test_auxiliary_heads_are_trained_and_not_served():
    options = {"training_heads": True, "stem": "small", "width": 0.0625}
    recipe = Recipe(architecture="googlenet", options=options, input_side=48, shorter_side=48)
    served, learning = make_models(recipe, 3, 1, PLAIN)
    assert served.output_shape == (None, 3)
    assert learning.output_shape == (None, 3, 3)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1), np.uint8)
    np.testing.assert_allclose(learning(pictures)[:, 0], served(pictures), atol=1e-5)
    served_too = {variable.path for variable in served.trainable_variables}
    assert {path.split("_")[0] for path in {each.path for each in learning.trainable_variables} - served_too} == {
        "aux1",
        "aux2",
    }


def test_a_filter_above_the_limit_is_scaled_down_to_it_and_others_are_left():
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=(3, 3, 4, 2)).astype(np.float32) * [0.01, 5.0]
    limited = np.asarray(LimitedFilters(0.1)(kernel))
    np.testing.assert_allclose(limited[..., 0], kernel[..., 0], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.mean(limited[..., 1] ** 2)), 0.1, rtol=1e-5)
    np.testing.assert_allclose(limited[..., 1] / kernel[..., 1], (limited / kernel)[0, 0, 0, 1], rtol=1e-5)


def test_filters_stay_within_their_limit_and_fully_connected_weights_do_not(tiny_recipe, tiny_data, run_directory):
    trained = fit(replace(tiny_recipe, filter_rms=0.01), tiny_data, 0, run_directory)
    kernels = [np.asarray(each) for each in trained.model.trainable_variables if each.name == "kernel"]
    for kernel in kernels:
        rms = np.sqrt(np.mean(kernel**2, axis=tuple(range(kernel.ndim - 1))))
        assert (rms <= 0.01 * (1 + 1e-5)).all() == (kernel.ndim == 4)


class Watch(keras.callbacks.Callback):
    """Keeps the weights after each step."""

    def __init__(self):
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append([np.asarray(each) for each in self.model.trainable_variables])


def test_what_is_published_is_the_moving_average_of_the_weights(tiny_recipe, tiny_data, run_directory):
    watch = Watch()
    trained = fit(replace(tiny_recipe, averaging=0.7), tiny_data, 0, run_directory, [watch])
    average = watch.steps[0]
    for step in watch.steps[1:]:
        average = [0.7 * old + 0.3 * new for old, new in zip(average, step, strict=True)]
    found = [np.asarray(each) for each in trained.model.trainable_variables]
    for one, expected, last in zip(found, average, watch.steps[-1], strict=True):
        np.testing.assert_allclose(one, expected, atol=1e-6)
        assert (one != last).any()


def test_an_interrupted_run_ends_with_the_average_of_an_uninterrupted_one(tiny_recipe, tiny_data, tmp_path):
    recipe = replace(tiny_recipe, averaging=0.9, epochs=3)
    whole = fit(recipe, tiny_data, 7, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, tiny_data, 7, tmp_path / "stopped", [InterruptAfterEpoch(0)])
    assert_equal_to_the_bit(weights(fit(recipe, tiny_data, 7, tmp_path / "stopped")), weights(whole))


def test_a_run_with_an_average_that_had_reached_its_end_gives_it_again(tiny_recipe, tiny_data, run_directory):
    recipe = replace(tiny_recipe, averaging=0.9)
    first = fit(recipe, tiny_data, 7, run_directory)
    assert_equal_to_the_bit(weights(fit(recipe, tiny_data, 7, run_directory)), weights(first))
