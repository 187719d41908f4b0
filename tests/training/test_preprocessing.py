import math

import keras
import numpy as np
import pytest

from training.errors import NotExportable
from training.preprocessing import PRESETS, Preprocessing, behind, check

ROWS = np.random.default_rng(1).integers(0, 256, (5, 8, 6, 3), np.uint8)


def fed(preprocessing, rows=ROWS):
    """What a network behind `preprocessing` gets of `rows`."""
    inputs = keras.Input(rows.shape[1:])
    return np.array(behind(keras.Model(inputs, keras.layers.Identity()(inputs)), preprocessing, rows.shape[1:])(rows))


@pytest.mark.parametrize(("preset", "mode"), [("symmetric", "tf"), ("torch", "torch"), ("caffe", "caffe")])
def test_a_preset_is_what_keras_does_in_that_mode(preset, mode):
    expected = keras.applications.imagenet_utils.preprocess_input(ROWS.astype("float32"), mode=mode)
    np.testing.assert_allclose(fed(PRESETS[preset]), expected, atol=2e-5)


def test_without_preprocessing_samples_are_fed_as_they_are():
    np.testing.assert_array_equal(fed(PRESETS["none"]), ROWS)
    np.testing.assert_allclose(fed(PRESETS["unit"]), ROWS / np.float32(255), rtol=1e-6)


def test_mean_and_scale_are_in_the_order_of_the_channels():
    given = fed(Preprocessing((1.0, 2.0, 3.0), (1.0, 10.0, 100.0), "bgr"))
    np.testing.assert_allclose(given, (ROWS[..., ::-1] - [1.0, 2.0, 3.0]) * [1.0, 10.0, 100.0], rtol=1e-5)


def test_one_number_is_for_grey_too():
    np.testing.assert_allclose(fed(Preprocessing((5.0,), (2.0,)), ROWS[..., :1]), (ROWS[..., :1] - 5.0) * 2, rtol=1e-6)


@pytest.mark.parametrize("preset", PRESETS.values())
def test_every_preset_is_for_colour(preset):
    check(preset, 3)


@pytest.mark.parametrize(
    ("wrong", "channels", "rule"),
    [
        (Preprocessing(scale=(0.0,)), 3, "other than 0; 0.0 came"),
        (Preprocessing(scale=(1.0, math.nan, 1.0)), 3, "other than 0; 1.0, nan, 1.0 came"),
        (Preprocessing((1.0, math.inf, 1.0)), 3, "A mean is a finite number; 1.0, inf, 1.0 came"),
        (Preprocessing((1.0, 2.0)), 3, "A mean is one number or one for each of 3 channels; 2 came"),
        (PRESETS["torch"], 1, "A mean is one number or one for each of 1 channels; 3 came"),
        (Preprocessing(channels="bgr"), 1, "bgr is one of 3 channels; the model takes 1"),
    ],
)
def test_what_leaves_no_picture_is_refused(wrong, channels, rule):
    with pytest.raises(NotExportable, match=rule):
        check(wrong, channels)
