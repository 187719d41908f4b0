import importlib
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from serving.models import card as cards
from serving.models.card import softmax
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.training.architectures.small import build_small
from training.adopt import Target, publish_keras
from training.architectures.layers import LocalResponseNormalization
from training.architectures.layers_of_1998 import Subsampling
from training.architectures.resnet import PaddedShortcut
from training.errors import NotExportable
from training.preprocessing import Preprocessing

TREE = Path(__file__).parents[2]
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


def publish(path, labels=tuple("abcd"), shorter_side=None, margin=0, **options):
    target = Target(path.parent / "mine", labels, shorter_side, margin)
    return publish_keras(path, target, **{"gives": "logits"} | options)


def test_a_model_of_logits_answers_as_before(path):
    model = save(path)
    np.testing.assert_allclose(TensorFlowEngine(publish(path)).run(ROWS), model(ROWS.astype("float32")), rtol=1e-4)


def test_probabilities_come_out_of_softmax_as_they_went_in(path):
    model = save(path, "softmax")
    logits = TensorFlowEngine(publish(path, gives="probabilities", prepared=Preprocessing(scale=(1 / 255,)))).run(ROWS)
    np.testing.assert_allclose(softmax(logits), model(ROWS / np.float32(255)), rtol=1e-4)


def test_the_mean_comes_off_before_scaling_channel_by_channel(path):
    model = save(path)
    logits = TensorFlowEngine(publish(path, prepared=Preprocessing((120.0, 110.0, 100.0), (1 / 127.5,)))).run(ROWS)
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


def test_probabilities_are_not_taken_for_logits(path):
    save(path, "softmax")
    with pytest.raises(NotExportable, match="--gives probabilities"):
        publish(path)


def test_logits_are_not_taken_for_probabilities(path):
    save(path)
    with pytest.raises(NotExportable, match=r"Probabilities are from 0 to 1 .* from -\d.* \(--gives logits\)"):
        publish(path, gives="probabilities")


def test_sigmoids_are_no_probabilities_of_one_class_of_many(path):
    save(path, "sigmoid")
    with pytest.raises(NotExportable, match=r"add up to \d"):
        publish(path, gives="probabilities", prepared=Preprocessing(scale=(1e-3,)))


@pytest.mark.parametrize("gives", ["logits", "probabilities"])
def test_scores_that_are_no_numbers_are_refused(path, gives):
    model = save(path, "softmax")
    model.layers[-1].bias.assign([0, np.nan, 0, 0])
    model.save(path)
    with pytest.raises(NotExportable, match=r"Scores are finite numbers; .*mine\.keras gives others"):
        publish(path, gives=gives)


def test_sigmoids_are_taken_for_logits(path):
    save(path, "sigmoid")
    publish(path)


def test_a_file_that_is_no_model_is_refused(path):
    path.write_bytes(b"no model")
    with pytest.raises(NotExportable, match="cannot be read"):
        publish(path)


def test_an_open_size_is_said_by_the_crop(path):
    save(path, shape=(None, None, 3))
    with pytest.raises(NotExportable, match=r"fixed size; .* takes \[None, None, None, 3\]. Say the size \(--crop\)"):
        publish(path)
    size = cards.read(publish(path, crop=9)).input
    assert (size.height, size.width, size.channels) == (9, 9, 3)


def test_a_size_that_is_fixed_cannot_be_said_again(path):
    save(path)
    with pytest.raises(NotExportable, match="Leave --crop out"):
        publish(path, crop=8)


def test_two_inputs_or_two_outputs_are_refused(path):
    one, two = keras.Input((8, 6, 3)), keras.Input((8, 6, 3))
    scores = keras.layers.Dense(4)(keras.layers.Flatten()(one + two))
    keras.Model([one, two], scores).save(path)
    with pytest.raises(NotExportable, match=r"one input; .* has 2"):
        publish(path)
    scores = keras.layers.Dense(4)(keras.layers.Flatten()(one))
    keras.Model(one, [scores, scores * 2]).save(path)
    with pytest.raises(NotExportable, match=r"one output; .* has 2"):
        publish(path)


@pytest.mark.parametrize("sequential", [True, False])
def test_a_sequential_model_is_exported_whether_or_not_it_says_its_input(path, sequential):
    layers = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)]
    model = keras.Sequential([keras.Input((8, 6, 3)), *layers] if sequential else layers)
    expected = model(ROWS.astype("float32"))
    model.save(path)
    np.testing.assert_allclose(TensorFlowEngine(publish(path)).run(ROWS), expected, rtol=1e-4)


def test_a_network_of_ours_that_was_saved_is_exported(path):
    network = build_small("alexnet", classes=4)
    network.save(path)
    rows = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 3), np.uint8)
    np.testing.assert_allclose(
        TensorFlowEngine(publish(path)).run(rows), network(rows.astype("float32")), rtol=1e-3, atol=1e-3
    )


def test_layers_of_ours_are_known_to_a_process_that_has_built_no_network(path):
    inputs = keras.Input((4, 4, 1))
    x = inputs
    for layer in (LocalResponseNormalization(), PaddedShortcut(2, 1), Subsampling()):  # one of each module
        x = layer(x)
    keras.Model(inputs, x, name="ours").save(path)
    load = f"from pathlib import Path; from training import foreign; print(foreign.load(Path({str(path)!r})).name)"
    there = subprocess.run([sys.executable, "-c", load], cwd=TREE, capture_output=True, text=True)
    assert there.stdout == "ours\n", there.stderr


LAYERS = """
import keras

class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x
"""
MODEL = """
import keras
from brought_layers import Twice

class Mine(keras.Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.twice, self.pool, self.scores = Twice(), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)

    def call(self, pictures):
        return self.scores(self.pool(self.twice(pictures)))
"""


@pytest.fixture
def subclassed(path, monkeypatch):
    """Files of code, for a model that another program saved at `path`, and the scores that it gave."""
    code = [path.parent / f"brought_{name}.py" for name in ("layers", "model")]
    for file, text in zip(code, (LAYERS, MODEL), strict=True):
        file.write_text(text)
    with monkeypatch.context() as there:
        there.syspath_prepend(path.parent)
        model = importlib.import_module("brought_model").Mine()
        scores = np.array(model(ROWS.astype("float32")))
        model.save(path)
    forget(code)
    yield code, scores
    forget(code)


def forget(code):
    for file in code:
        sys.modules.pop(file.stem, None)


def test_a_subclassed_model_is_exported_with_the_files_of_its_code(path, subclassed):
    code, expected = subclassed
    version = publish(path, code=code)
    np.testing.assert_allclose(TensorFlowEngine(version).run(ROWS), expected, rtol=1e-4)


def test_without_its_code_a_subclassed_model_is_refused_with_the_way_out(path, subclassed):
    with pytest.raises(NotExportable, match=r"\(--code FILE.py\).*Mine"):
        publish(path)


def test_code_that_fails_is_named(path, tmp_path):
    save(path)
    code = tmp_path / "broken_code.py"
    code.write_text("1 / 0")
    with pytest.raises(NotExportable, match=r"broken_code.py raises ZeroDivisionError"):
        publish(path, code=[code])
    assert "broken_code" not in sys.modules


def test_code_does_not_take_the_place_of_a_module(path, tmp_path):
    save(path)
    code = tmp_path / "json.py"
    code.touch()
    with pytest.raises(NotExportable, match="there is a module json already"):
        publish(path, code=[code])
