import dataclasses
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import json_format

from protos.classification_pb2 import Views
from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.engines.tensorflow import TensorFlowEngine, dense_engine
from training.batches import Canvases
from training.export import publish_trained
from training.fit import Trained, make_models


def untrained(recipe, data):
    """Exported all the same."""
    keras.utils.set_random_seed(0)
    model, _ = make_models(recipe, 3, 1, Canvases(data, recipe).statistics())
    return Trained(model, recipe, 5, [{"seconds": 1.0, "cpu_seconds": 2.0}, {"seconds": 0.5, "cpu_seconds": 1.0}])


@pytest.fixture(scope="module")
def trained(tiny_recipe, tiny_data):
    """Not to be changed."""
    return untrained(tiny_recipe, tiny_data)


@pytest.fixture(scope="module")
def version(trained, tiny_data, tmp_path_factory):
    """Not to be changed."""
    return publish_trained(trained, tiny_data, tmp_path_factory.mktemp("models") / "tiny")


def test_the_exported_model_answers_as_the_trained_one(version, trained, tiny_data):
    rows = tiny_data.test.images
    expected = trained.model.predict(rows, verbose=0)
    np.testing.assert_allclose(TensorFlowEngine(version).run(rows), expected, atol=1e-5)


def test_the_signature_is_the_one_the_card_promises(version):
    signature = tf.saved_model.load(str(version)).signatures["serving_default"]
    (taken,) = signature.structured_input_signature[1].values()
    assert (taken.dtype, taken.shape.as_list()) == (tf.uint8, [None, 16, 16, 1])
    given = signature(tf.zeros((5, 16, 16, 1), tf.uint8))
    assert {name: (score.dtype, score.shape.as_list()) for name, score in given.items()} == {
        "logits": (tf.float32, [5, 3]),
        "probabilities": (tf.float32, [5, 3]),
    }
    np.testing.assert_allclose(tf.reduce_sum(given["probabilities"], axis=-1), 1, rtol=1e-6)


def test_the_card_says_what_the_graph_cannot(version, tiny_recipe):
    card = cards.read(version)
    assert card.name == "tiny"
    assert list(card.labels) == ["dark", "grey", "bright"]
    assert (card.input.height, card.input.width, card.input.channels) == (16, 16, 1)
    assert (card.geometry.shorter_side, card.geometry.margin) == (16, 1)
    assert [each.views for each in card.measurements] == [1, 2, 3, 4]
    assert {each.data_set for each in card.measurements} == {"tiny test"}
    assert not card.measurements[0].HasField("top_5_error")


def test_the_card_says_where_the_model_comes_from(version, tiny_recipe, trained):
    provenance = cards.read(version).provenance
    assert (provenance.architecture, provenance.data_set, provenance.seed) == ("lenet5", "tiny", 5)
    assert provenance.trainable_parameters == trained.model.count_params()
    assert (provenance.training_seconds, provenance.training_cpu_seconds) == (1.5, 3.0)
    assert provenance.versions["keras"] == keras.__version__
    assert json_format.MessageToDict(provenance.recipe) == tiny_recipe.as_dict()
    assert provenance.published.seconds > 1_700_000_000


def test_golden_inputs_are_held_out_pictures_of_different_classes(version, tiny_data):
    card = cards.read(version)
    assert len(card.golden_inputs) == 3
    for golden, image in zip(card.golden_inputs, tiny_data.test.images, strict=False):
        np.testing.assert_array_equal(tf.io.decode_png(golden.png), image)


def test_a_changed_weight_is_rejected_by_the_card(version, tmp_path):
    changed = shutil.copytree(version, tmp_path / "tiny" / "1")
    variables = next((changed / "variables").glob("*.data-*"))
    content = bytearray(variables.read_bytes())
    content[len(content) // 2] ^= 0xFF
    variables.write_bytes(content)
    with pytest.raises(ModelRejected, match="SHA-256"):
        cards.validate(cards.read(changed), changed, TensorFlowEngine)


def test_every_weight_is_written_once_and_the_optimiser_left_at_home(tiny_recipe, tiny_data, tmp_path):
    trained = untrained(tiny_recipe, tiny_data)
    trained.model.compile("adam")
    trained.model.optimizer.build(trained.model.trainable_variables)
    version = publish_trained(trained, tiny_data, tmp_path / "tiny")
    size = sum(path.stat().st_size for path in (version / "variables").glob("*.data-*"))
    assert size < 1.2 * 4 * trained.model.count_params()


def test_views_are_measured_on_the_exported_model(version, tiny_data):
    engine = TensorFlowEngine(version)
    errors = {each.views: each.top_1_error for each in cards.read(version).measurements}
    wrong = engine.run(tiny_data.test.images).argmax(axis=-1) != tiny_data.test.class_ids
    assert errors[Views.VIEWS_SINGLE] == wrong.mean()


def test_the_dense_signature_averages_the_scores_of_every_place(version):
    assert cards.read(version).dense
    pictures = np.random.default_rng(0).integers(0, 256, (2, 24, 20, 1), np.uint8)
    crops = [pictures[:, top : top + 16, left : left + 16] for top in (0, 4, 8) for left in (0, 4)]
    engine = TensorFlowEngine(version)
    expected = np.mean([engine.run(crop) for crop in crops], axis=0)
    np.testing.assert_allclose(dense_engine(version).run(pictures), expected, atol=1e-5)


def test_a_network_for_one_size_promises_no_dense_signature(tiny_recipe, tiny_data, tmp_path):
    recipe = dataclasses.replace(tiny_recipe, architecture="lenet5-1998", options={}, input_side=32, shorter_side=32)
    version = publish_trained(untrained(recipe, tiny_data), tiny_data, tmp_path / "old")
    assert not cards.read(version).dense
    assert list(tf.saved_model.load(str(version)).signatures) == ["serving_default"]
