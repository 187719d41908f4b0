"""The card: written and read back, and held against a model that somebody tampered with."""

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import File, ModelCard
from serving.errors import ModelRejected
from serving.models import card as cards
from tests.serving.fakes import FreeEngine
from tests.serving.tiny import TinyModel

MODEL = TinyModel("shades", 1, seed=1)
ENGINE = FreeEngine(score=lambda rows: MODEL.logits(rows).astype(np.float32))


@pytest.fixture
def version(tmp_path):
    """A version's directory, whose files need be no SavedModel: the engine is numpy."""
    directory = tmp_path / "shades" / "1"
    (directory / "variables").mkdir(parents=True)
    (directory / "saved_model.pb").write_bytes(b"graph")
    (directory / "variables" / "variables.index").write_bytes(b"weights")
    card = MODEL.card()
    card.files.extend(cards.describe_files(directory))
    cards.write(card, directory)
    return directory


def validate(directory, card=None, engine=ENGINE):
    return cards.validate(card or cards.read(directory), directory, lambda _: engine)


def test_a_model_that_matches_its_card_is_let_pass(version):
    assert validate(version) is ENGINE


def test_nothing_is_loaded_before_the_files_match(version):
    (version / "saved_model.pb").write_bytes(b"grapi")
    with pytest.raises(ModelRejected):
        cards.validate(cards.read(version), version, lambda _: pytest.fail("loaded"))


def test_a_card_is_read_as_it_was_written(tmp_path):
    card = MODEL.card()
    card.provenance.recipe.update({"epochs": 3})
    card.measurements.add(data_set="digits test", pictures=10, views=pb.VIEWS_TEN, top_1_error=0.1)
    cards.write(card, tmp_path)
    assert cards.read(tmp_path) == card


def test_a_card_is_json_with_the_protos_field_names(version):
    fields = json.loads((version / "assets.extra" / "card.json").read_text())
    assert fields["golden_inputs"]
    assert list(fields) == [field.name for field in ModelCard.DESCRIPTOR.fields if field.name in fields]


def test_files_are_described_by_path_size_and_hash(version):
    assert [(file.path, file.bytes, file.sha256) for file in cards.describe_files(version)] == [
        ("saved_model.pb", 5, hashlib.sha256(b"graph").hexdigest()),
        ("variables/variables.index", 7, hashlib.sha256(b"weights").hexdigest()),
    ]


def test_a_model_without_a_card_is_refused(version):
    (version / cards.CARD_PATH).unlink()
    with pytest.raises(ModelRejected, match=r"card\.json cannot be read \(No such file"):
        cards.read(version)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"lables": ["boot"]}', b'{"labels": 3}', b"null"])
def test_a_card_that_is_none_is_refused(version, content):
    (version / cards.CARD_PATH).write_bytes(content)
    with pytest.raises(ModelRejected):
        validate(version)


def test_a_flipped_byte_is_refused(version):
    (version / "saved_model.pb").write_bytes(b"grapi")
    with pytest.raises(ModelRejected, match=r"'saved_model\.pb'.*other bytes"):
        validate(version)


def test_a_longer_file_is_refused(version):
    (version / "variables" / "variables.index").write_bytes(b"weights and more")
    with pytest.raises(ModelRejected, match="other bytes"):
        validate(version)


def test_a_missing_file_is_refused(version):
    (version / "variables" / "variables.index").unlink()
    with pytest.raises(ModelRejected, match=r"'variables/variables\.index', which .* lacks"):
        validate(version)


@pytest.mark.parametrize("path", ["../2/saved_model.pb", "/etc/hostname", "variables/../../../x"])
def test_a_path_outside_the_version_is_refused(version, path):
    card = cards.read(version)
    card.files.append(File(path=path, bytes=1, sha256="0" * 64))
    with pytest.raises(ModelRejected, match="of its own directory"):
        validate(version, card)


def test_a_file_that_the_card_does_not_list_is_left_alone(version):
    (version / "tfhub_note.txt").write_text("hello")
    validate(version)


SENSELESS = {
    "no input": lambda card: card.ClearField("input"),
    "an input without height": lambda card: card.input.ClearField("height"),
    "two channels": lambda card: setattr(card.input, "channels", 2),
    "no labels": lambda card: card.ClearField("labels"),
    "one label": lambda card: card.labels.__delitem__(slice(1, None)),
    "a label twice": lambda card: card.labels.__setitem__(1, card.labels[0]),
    "no geometry": lambda card: card.ClearField("geometry"),
    "a canvas smaller than the input": lambda card: setattr(card.geometry, "shorter_side", 9),
    "no temperature": lambda card: card.ClearField("temperature"),
    "a temperature below 0": lambda card: setattr(card, "temperature", -1.0),
    "a temperature that is no number": lambda card: setattr(card, "temperature", float("nan")),
    "no vote": lambda card: card.ClearField("vote"),
    "a vote that there is not": lambda card: setattr(card, "vote", 99),
    "no golden input": lambda card: card.ClearField("golden_inputs"),
    "a golden probability too few": lambda card: card.golden_inputs[0].probabilities.pop(),
    "no files": lambda card: card.ClearField("files"),
}


@pytest.mark.parametrize("what", SENSELESS)
def test_a_card_without_sense_is_refused(version, what):
    card = cards.read(version)
    SENSELESS[what](card)
    with pytest.raises(ModelRejected):
        validate(version, card)


def test_a_card_is_told_everything_that_it_lacks_at_once(version):
    with pytest.raises(ModelRejected, match=r"at least two labels.*a temperature.*a golden input"):
        validate(version, ModelCard(name="empty"))


def test_a_model_that_answers_differently_is_refused(version):
    other = TinyModel("shades", 1, seed=2)
    with pytest.raises(ModelRejected, match=r"may differ from the card's by 0\.001"):
        validate(version, engine=FreeEngine(score=lambda rows: other.logits(rows).astype(np.float32)))


def test_the_last_golden_input_counts_like_the_first(version):
    card = cards.read(version)
    card.golden_inputs[-1].probabilities[0] += 0.01
    with pytest.raises(ModelRejected, match="golden inputs may differ"):
        validate(version, card)


def test_a_drift_as_small_as_another_processors_is_let_pass(version):
    def drifted(rows):
        return (MODEL.logits(rows) + np.linspace(0, 1e-4, 6)).astype(np.float32)

    validate(version, engine=FreeEngine(score=drifted))


@pytest.mark.parametrize("classes", [5, 7])
def test_a_model_with_another_number_of_classes_than_labels_is_refused(version, classes):
    with pytest.raises(ModelRejected, match="6 labels"):
        validate(version, engine=FreeEngine(score=lambda rows: np.zeros((len(rows), classes), np.float32)))


def test_a_model_whose_answers_are_not_numbers_is_refused(version):
    with pytest.raises(ModelRejected):
        validate(version, engine=FreeEngine(score=lambda rows: np.full((len(rows), 6), np.nan, np.float32)))


def off_by(logits: float, precision: str) -> FreeEngine:
    """An engine whose every logit of the first class is so far from the model's."""
    first = np.eye(1, len(MODEL.card().labels), dtype=np.float32)
    engine = FreeEngine(score=lambda rows: (MODEL.logits(rows) + logits * first).astype(np.float32))
    engine.precision = precision
    return engine


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_fewer_bits_may_drift_where_float32_may_not(version, precision):
    validate(version, engine=off_by(0.3, precision))
    with pytest.raises(ModelRejected, match=r"In float32.*may differ from the card's by 0.001"):
        validate(version, engine=off_by(0.3, "float32"))


def test_a_drift_beyond_what_fewer_bits_explain_is_refused_with_its_size(version):
    with pytest.raises(ModelRejected, match=r"In int8.*by 0\.1; they differ by 0\.\d{4}\. Serve it with precision"):
        validate(version, engine=off_by(30, "int8"))


def test_with_fewer_bits_the_winner_has_to_win_still(version):
    card = cards.read(version)
    for golden in card.golden_inputs:
        golden.probabilities[:] = [0.24, 0.26, *[0.5 / (len(card.labels) - 2)] * (len(card.labels) - 2)]
    engine = FreeEngine(score=lambda rows: np.log([[0.26, 0.24, *card.golden_inputs[0].probabilities[2:]]] * len(rows)))
    engine.precision = "int8"
    with pytest.raises(ModelRejected, match=r"of 2 it finds another for 2, and probabilities differ by 0.0200"):
        validate(version, card, engine)


def test_a_quantised_network_has_to_be_among_the_cards_files(version):
    card = cards.read(version)
    card.quantization.network = "assets.extra/openvino/int8.xml"
    with pytest.raises(ModelRejected, match="its quantised network among its files"):
        validate(version, card)


def test_golden_probabilities_that_are_not_numbers_are_refused(version):
    card = cards.read(version)
    card.golden_inputs[0].probabilities[0] = float("nan")
    with pytest.raises(ModelRejected):
        validate(version, card)


def test_a_model_that_fails_on_its_golden_inputs_is_refused(version):
    def fail(rows):
        raise ValueError("Cannot feed value of shape (2, 12, 12, 3)")

    with pytest.raises(ModelRejected, match="Cannot feed"):
        validate(version, engine=FreeEngine(score=fail))


def golden_png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "png",
    [golden_png(Image.new("RGB", (11, 12))), golden_png(Image.new("L", (12, 12))), b"", b"no picture"],
    ids=["another size", "grey", "empty", "no picture"],
)
def test_a_golden_input_that_is_no_picture_of_the_inputs_shape_is_refused(version, png):
    card = cards.read(version)
    card.golden_inputs[1].png = png
    with pytest.raises(ModelRejected):
        validate(version, card)
