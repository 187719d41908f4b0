import math

import keras
import numpy as np
import pytest

from serving.models import card as cards
from serving.models.card import softmax
from serving.models.engines.tensorflow import TensorFlowEngine
from training.adopt import publish_keras
from training.errors import NotExportable

ROWS = np.random.default_rng(1).integers(0, 256, (5, 8, 6, 3), np.uint8)


def save(path, activation=None, shape=(8, 6, 3)):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    scores = keras.layers.Dense(4, activation=activation)(keras.layers.GlobalAveragePooling2D()(inputs))
    model = keras.Model(inputs, scores)
    model.save(path)
    return model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.keras"


def publish(path, **changes):
    options = {"labels": tuple("abcd"), "directory": path.parent / "mine", "gives": "logits"} | changes
    return publish_keras(path, **options)


def test_a_model_of_logits_answers_as_before(path):
    model = save(path)
    np.testing.assert_allclose(TensorFlowEngine(publish(path)).run(ROWS), model(ROWS.astype("float32")), rtol=1e-4)


def test_probabilities_come_out_of_softmax_as_they_went_in(path):
    model = save(path, "softmax")
    logits = TensorFlowEngine(publish(path, gives="probabilities", scale=1 / 255)).run(ROWS)
    np.testing.assert_allclose(softmax(logits), model(ROWS / np.float32(255)), rtol=1e-4)


def test_the_mean_comes_off_before_scaling_channel_by_channel(path):
    model = save(path)
    logits = TensorFlowEngine(publish(path, mean=(120.0, 110.0, 100.0), scale=1 / 127.5)).run(ROWS)
    expected = model((ROWS - np.float32([120, 110, 100])) / np.float32(127.5))
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_the_card_is_valid_and_says_the_geometry(path):
    save(path)
    version = publish(path, shorter_side=10, margin=1)
    card = cards.read(version)
    cards.validate(card, version, TensorFlowEngine)
    assert (card.input.height, card.input.width, card.input.channels) == (8, 6, 3)
    assert (card.geometry.shorter_side, card.geometry.margin) == (10, 1)
    assert cards.read(publish(path)).geometry.shorter_side == 8


def test_labels_of_another_number_are_refused(path):
    save(path)
    with pytest.raises(NotExportable, match=r"\[batch, 3\]; .* gives \[None, 4\]"):
        publish(path, labels=("a", "b", "c"))


def test_labels_that_come_twice_are_refused_and_nothing_is_published(path):
    save(path)
    with pytest.raises(NotExportable, match="a came more than once"):
        publish(path, labels=tuple("aabc"))
    assert not (path.parent / "mine").exists()


def test_an_empty_label_is_refused(path):
    save(path)
    with pytest.raises(NotExportable, match="label 4 is empty"):
        publish(path, labels=("a", "b", "c", " "))


@pytest.mark.parametrize("scale", [math.nan, math.inf, 0.0])
def test_a_scale_that_leaves_no_picture_is_refused(path, scale):
    save(path)
    with pytest.raises(NotExportable, match=f"a finite number other than 0; {scale} came"):
        publish(path, scale=scale)


def test_a_mean_that_is_no_number_is_refused(path):
    save(path)
    with pytest.raises(NotExportable, match=r"A mean is a finite number; 1\.0, nan, 1\.0 came"):
        publish(path, mean=(1.0, math.nan, 1.0))


def test_probabilities_are_not_taken_for_logits(path):
    save(path, "softmax")
    with pytest.raises(NotExportable, match="--gives probabilities"):
        publish(path)


def test_sigmoids_are_taken_for_logits(path):
    save(path, "sigmoid")
    publish(path)


def test_an_input_of_open_size_is_refused(path):
    save(path, shape=(None, None, 3))
    with pytest.raises(NotExportable, match="fixed size"):
        publish(path)


def test_a_mean_of_other_channels_is_refused(path):
    save(path)
    with pytest.raises(NotExportable, match="3 channels; 2 came"):
        publish(path, mean=(1.0, 2.0))


def test_a_file_that_is_no_model_is_refused(path):
    path.write_bytes(b"no model")
    with pytest.raises(NotExportable, match="cannot be read"):
        publish(path)
