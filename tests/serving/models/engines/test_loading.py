"""Which engine a version gets, by what is asked for, what is installed and what the version holds."""

import json
import shutil
from importlib import util

import numpy as np
import pytest

from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.engines.loading import EngineLoader
from serving.models.engines.memory import NAME
from serving.models.engines.openvino import OpenVINOEngine
from serving.models.engines.operations import Trust
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.serving.choir import SHADES_1
from tests.serving.tiny import TinyModel

SIZES = (1, 2)


@pytest.fixture
def shades(models_root, tmp_path):
    """A copy of shades 1 that a test may change, without what a server of other tests remembers of it."""
    return shutil.copytree(
        models_root / "shades" / "1", tmp_path / "shades" / "1", ignore=shutil.ignore_patterns(NAME.name)
    )


@pytest.fixture
def without_openvino(monkeypatch):
    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "openvino" else find(name))


def load(directory, **asked):
    return EngineLoader(batch_sizes=SIZES, **asked)(directory)


@pytest.mark.parametrize(("name", "kind"), [("tensorflow", TensorFlowEngine), ("openvino", OpenVINOEngine)])
def test_an_engine_that_is_asked_for_is_taken_unmeasured(shades, name, kind):
    assert isinstance(load(shades, engine=name), kind)
    assert not (shades / NAME).exists()


def test_without_a_wish_the_engines_are_measured_once(shades):
    chosen = load(shades)
    kept = json.loads((shades / NAME).read_text())
    assert set(kept["seconds"]) == {"tensorflow", "openvino"}
    other = {"tensorflow": "openvino", "openvino": "tensorflow"}[kept["fastest"]]
    (shades / NAME).write_text(json.dumps({**kept, "fastest": other}))
    assert type(load(shades)) is not type(chosen)


def test_a_measurement_leaves_the_version_as_its_card_says(shades):
    cards.validate(cards.read(shades), shades, EngineLoader(batch_sizes=SIZES))
    cards.validate(cards.read(shades), shades, EngineLoader(batch_sizes=SIZES))


def test_without_openvino_there_is_nothing_to_measure(shades, without_openvino):
    assert isinstance(load(shades), TensorFlowEngine)
    assert not (shades / NAME).exists()


@pytest.mark.parametrize("asked", [{"engine": "openvino"}, {"precision": "int8"}])
def test_what_is_not_installed_is_named_with_the_way_out(shades, without_openvino, asked):
    with pytest.raises(ModelRejected, match=r"not installed. Install it .pip install .tencrop\[openvino\]"):
        load(shades, **asked)


def test_tensorflow_does_not_run_eight_bits(shades):
    with pytest.raises(ModelRejected, match="int8 is computed by OpenVINO"):
        load(shades, engine="tensorflow", precision="int8")


def test_a_version_that_was_not_quantised_is_not_served_in_eight_bits(shades):
    with pytest.raises(ModelRejected, match="tencrop quantize"):
        load(shades, precision="int8")


@pytest.mark.parametrize("name", ["tensorflow", "openvino"])
def test_bfloat16_is_near_float32(shades, name):
    rows = np.random.default_rng(0).integers(0, 256, (2, *SHADES_1.input_shape), np.uint8)
    engine = load(shades, engine=name, precision="bfloat16")
    np.testing.assert_allclose(engine.run(rows), SHADES_1.logits(rows), atol=0.1)


def test_a_network_that_openvino_cannot_run_is_left_to_tensorflow(tmp_path):
    version = TinyModel("gated", 1, seed=1).publish(tmp_path, gate=tmp_path / "gate")
    assert isinstance(load(version, trust=Trust({"MatchingFiles"})), TensorFlowEngine)
