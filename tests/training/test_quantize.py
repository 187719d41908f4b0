"""A tiny model in 8 bits: published beside the one it was, measured, held against the same golden inputs, served."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.engines.loading import EngineLoader
from serving.models.engines.openvino import OpenVINOEngine
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.training.test_evaluate import publish_tiny
from training import data_options, quantize
from training.data import DataSet, Pictures
from training.errors import DataUnusable, NotQuantizable
from training.evaluate import open_member
from training.quantize import centre_views, publish_quantized


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def data():
    from tests.training.conftest import make_tiny_data

    return make_tiny_data()


@pytest.fixture(scope="module")
def quantised(root, data):
    """models/a/2, of models/a/1. Not to be changed."""
    publish_tiny(root / "a", data, 0)
    return publish_quantized(root / "a", data, 20)


def test_a_quantised_model_is_the_next_version(quantised):
    assert quantised.name == "2"
    card = cards.read(quantised)
    assert (card.quantization.of_version, card.quantization.pictures, card.quantization.data_set) == (1, 20, "tiny")
    assert {"nncf", "openvino", "keras"} <= set(card.provenance.versions)


def test_its_errors_are_those_of_eight_bits(quantised, data):
    measured = cards.read(quantised).measurements
    assert [each.pictures for each in measured] == [len(data.test)] * 4
    logits = open_member(quantised).engine.run(
        centre_views(DataSet("", data.labels, data.test, data.test), cards.read(quantised), len(data.test))
    )
    wrong = np.mean(logits.argmax(axis=1) != data.test.class_ids)
    assert measured[0].top_1_error == pytest.approx(wrong)


def test_its_saved_model_and_golden_inputs_are_those_of_float32(quantised):
    before, after = cards.read(quantised.parent / "1"), cards.read(quantised)
    assert list(after.golden_inputs) == list(before.golden_inputs)
    assert {file.path: file.sha256 for file in before.files}.items() <= {
        file.path: file.sha256 for file in after.files
    }.items()


def test_as_published_it_is_served_in_eight_bits_and_in_float32_where_that_is_asked(quantised):
    card = cards.read(quantised)
    served = cards.validate(card, quantised, EngineLoader())
    assert isinstance(served, OpenVINOEngine)
    assert served.precision == "int8"
    assert isinstance(cards.validate(card, quantised, EngineLoader("tensorflow", "float32")), TensorFlowEngine)


def test_a_quantised_network_with_other_bytes_is_refused(quantised, tmp_path):
    copy = shutil.copytree(quantised, tmp_path / "a" / "2")
    weights = (copy / quantize.NETWORK).with_suffix(".bin")
    weights.write_bytes(bytes(len(weights.read_bytes())))
    with pytest.raises(ModelRejected, match="has other bytes"):
        cards.validate(cards.read(copy), copy, EngineLoader())


def test_a_quantised_version_is_not_quantised_again(quantised, data):
    with pytest.raises(NotQuantizable, match="Quantise that one"):
        publish_quantized(quantised, data, 20)


def test_a_network_that_drifts_too_far_is_not_published(quantised, data, monkeypatch):
    black = Pictures(np.zeros_like(data.train.images), data.train.class_ids)  # ranges of nothing
    with pytest.raises(ModelRejected, match="In int8"):
        publish_quantized(quantised.parent / "1", DataSet("black", data.labels, black, data.test), 20)
    assert {path.name for path in quantised.parent.iterdir()} == {"1", "2"}


def test_data_of_other_labels_is_refused(quantised, data):
    other = DataSet("other", ("a", "b", "c"), data.train, data.test)
    with pytest.raises(DataUnusable, match="Name its data set"):
        publish_quantized(quantised.parent / "1", other, 20)


def test_pictures_are_taken_from_all_over_the_training_pictures(quantised, data):
    numbered = np.arange(80, dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 16, 1), np.uint8)
    train = Pictures(numbered, data.train.class_ids)
    rows = centre_views(DataSet("numbered", data.labels, train, data.test), cards.read(quantised), 5)
    assert rows[:, 8, 8, 0].tolist() == [0, 19, 39, 59, 79]


def test_the_command_prints_the_version_and_its_errors(root, quantised, data, monkeypatch):
    from training.quantize_command import quantize as command

    monkeypatch.setattr(data_options, "load", lambda *_: data)
    version = shutil.copytree(quantised.parent / "1", root / "b" / "1")
    result = CliRunner().invoke(command, [str(version.parent), "--data", "tiny", "--pictures", "20"])
    assert f"{version.parent}/2: top-1 error in int8 on tiny test (24 pictures): single" in result.output
    assert json.loads((version.parent / "2" / cards.CARD_PATH).read_text())["quantization"]["pictures"] == 20
