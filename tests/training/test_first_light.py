import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from protos.model_card_pb2 import ModelCard
from serving.models import card as cards
from serving.models.declaration import read_declaration
from training import first_light, recipes
from training.data import load


@pytest.fixture
def trained_already(tmp_path):
    """Directories where the three models stand, as far as their cards say."""
    for seed, name in enumerate(first_light.MODELS):
        version = tmp_path / "models" / name / "1"
        version.mkdir(parents=True)
        card = ModelCard(name=name)
        card.provenance.seed = seed
        card.provenance.recipe.update(recipes.find("lenet5", "digits").as_dict())
        cards.write(card, version)
    return tmp_path


def light(root):
    first_light.main(root / "models", root / "pictures", root / "runs")


def test_pictures_are_named_after_what_is_on_them(trained_already):
    light(trained_already)
    paths = sorted((trained_already / "pictures" / "digits").glob("*.png"))
    assert len(paths) == 100
    digits = load("digits")
    for path in paths:
        label, _, number = path.stem.partition("-")
        assert label == digits.labels[digits.test.class_ids[int(number)]]
        np.testing.assert_array_equal(np.asarray(Image.open(path)), digits.test.images[int(number)][..., 0])


def test_the_ensemble_is_declared_as_serving_reads_it(trained_already):
    light(trained_already)
    ensemble = read_declaration(trained_already / "models").ensembles["digits"]
    assert [member.model for member in ensemble.members] == list(first_light.MODELS)


def test_other_declarations_are_kept(trained_already):
    path = trained_already / "models" / "models.yaml"
    path.write_text("ensembles: {mine: {members: [{model: boots}]}}\nlabels: {boots: {production: 3}}\n")
    light(trained_already)
    declared = yaml.safe_load(path.read_text())
    assert list(declared["ensembles"]) == ["mine", "digits"]
    assert declared["labels"] == {"boots": {"production": 3}}


def test_an_ensemble_of_that_name_is_the_users_own(trained_already):
    path = trained_already / "models" / "models.yaml"
    path.write_text("ensembles: {digits: {members: [{model: lenet5-b}]}}  # mine\n")
    before = path.read_text()
    light(trained_already)
    assert path.read_text() == before


def test_when_all_stands_nothing_is_imported_to_train(trained_already):
    light(trained_already)
    code = f"""
import sys
from pathlib import Path
from training import first_light
root = Path({str(trained_already)!r})
first_light.main(root / "models", root / "pictures", root / "runs")
assert not {{"tensorflow", "keras", "sklearn"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_missing_or_outdated_is_trained(trained_already, monkeypatch):
    trained = []
    monkeypatch.setattr(first_light, "_train", lambda missing, models, runs: trained.extend(missing))
    version = trained_already / "models" / "lenet5-b" / "1"
    card = cards.read(version)
    card.provenance.recipe["epochs"] = 1
    cards.write(card, version)
    light(trained_already)
    assert trained == [(1, "lenet5-b")]
