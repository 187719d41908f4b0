"""tencrop calibrate: from models on disk to a card that serving makes use of."""

import shutil

import pytest

from protos.classification_pb2 import VIEWS_TEN, VOTE_MEAN_PROBABILITY
from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.ensemble import Member
from serving.models.ensemble_card import adaptive_votes, path_of
from tests.serving.fakes import fake_servable
from tests.training.test_evaluate import publish_tiny
from training.adaptive.votes import calibrate_votes

DECLARATION = "ensembles:\n  both:\n    members: [{model: a}, {model: b, weight: 3}]\n"


@pytest.fixture(scope="module")
def published(tmp_path_factory, tiny_data):
    """Two models and their ensemble. Not to be changed."""
    root = tmp_path_factory.mktemp("models")
    for seed, name in enumerate("ab"):
        publish_tiny(root / name, tiny_data, seed)
    (root / "models.yaml").write_text(DECLARATION)
    return root


@pytest.fixture
def root(tmp_path, published):
    return shutil.copytree(published, tmp_path / "models")


def members(weight=3.0):
    return [Member(fake_servable("a", 1)), Member(fake_servable("b", 1), weight)]


def test_an_ensembles_votes_are_kept_in_its_card_for_just_these_members(root, tiny_data, caplog):
    found = calibrate_votes(root, "both", tiny_data, None, "ten", agreement=0.6)
    assert found.path == path_of(root, "both")
    assert list(adaptive_votes(root, "both", members())) == [found.adaptive]
    assert adaptive_votes(root, "both", members(weight=2.0)) == ()
    assert "other versions or weights" in caplog.text


def test_a_models_votes_are_kept_in_its_card_and_the_rest_of_it_stays(root, tiny_data):
    before = cards.read(root / "a" / "1")
    found = calibrate_votes(root, "a", tiny_data, tiny_data, "ten", agreement=0.6)
    after = cards.read(root / "a" / "1")
    assert list(after.adaptive_votes) == [found.adaptive]
    assert (found.adaptive.views, found.adaptive.vote) == (VIEWS_TEN, VOTE_MEAN_PROBABILITY)
    del after.adaptive_votes[:]
    assert after == before
    assert len(found.measured) == 2


def test_what_is_found_again_takes_the_place_of_what_was(root, tiny_data):
    calibrate_votes(root, "both", tiny_data, None, "ten", agreement=0.6)
    calibrate_votes(root, "both", tiny_data, None, "five", agreement=0.6)
    found = calibrate_votes(root, "both", tiny_data, None, "ten", agreement=0.5)
    assert [each.agreement for each in adaptive_votes(root, "both", members())] == [0.6, 0.5]
    assert found.adaptive.agreement == 0.5


def test_a_name_that_is_neither_a_model_nor_an_ensemble_is_refused(root, tiny_data):
    with pytest.raises(ModelRejected, match="'c' has no version there"):
        calibrate_votes(root, "c", tiny_data, None, "ten", agreement=0.6)


def test_a_card_that_is_none_is_refused(root):
    path_of(root, "both").write_text("{")
    with pytest.raises(ModelRejected, match="is not the card of an ensemble"):
        adaptive_votes(root, "both", members())
