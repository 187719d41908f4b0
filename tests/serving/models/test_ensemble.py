"""Ensembles as models.yaml declares them, and what makes one of members."""

import pytest

from protos import classification_pb2 as pb
from serving.errors import ModelRejected
from serving.models.declaration import read_declaration
from serving.models.ensemble import Ensemble, Member
from tests.serving.fakes import LABELS, fake_servable

WHOLE = """
ensembles:
  choir:
    vote: majority
    members:
      - model: shades
      - {model: tones, weight: 2.5}
      - {model: greys, version: 3}
labels:
  shades: {production: 1, canary: 2}
"""


def declared(tmp_path, text):
    (tmp_path / "models.yaml").write_text(text)
    return read_declaration(tmp_path)


def test_a_declaration_is_read(tmp_path):
    choir = declared(tmp_path, WHOLE).ensembles["choir"]
    assert choir.vote == "majority"
    assert [(member.model, member.version, member.weight) for member in choir.members] == [
        ("shades", None, 1.0),
        ("tones", None, 2.5),
        ("greys", 3, 1.0),
    ]


def test_versions_of_labels_and_of_members_are_pinned(tmp_path):
    declaration = declared(tmp_path, WHOLE)
    assert declaration.pinned_versions("shades") == {1, 2}
    assert declaration.pinned_versions("tones") == set()
    assert declaration.pinned_versions("greys") == {3}


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "ensembles: {}"])
def test_an_empty_declaration_declares_nothing(tmp_path, text):
    assert declared(tmp_path, text).ensembles == {}


def test_no_declaration_declares_nothing(tmp_path):
    assert read_declaration(tmp_path).ensembles == {}


SENSELESS = {
    "not YAML": "ensembles: [",
    "a list": "- choir",
    "a word": "choir",
    "a misspelt key": "ensemble: {}",
    "no members": "ensembles: {choir: {}}",
    "members of none": "ensembles: {choir: {members: []}}",
    "a member without a model": "ensembles: {choir: {members: [{weight: 1}]}}",
    "a member with a misspelt key": "ensembles: {choir: {members: [{model: a, wieght: 2}]}}",
    "a weight of 0": "ensembles: {choir: {members: [{model: a, weight: 0}]}}",
    "a weight below 0": "ensembles: {choir: {members: [{model: a, weight: -1}]}}",
    "a weight without bound": "ensembles: {choir: {members: [{model: a, weight: .inf}]}}",
    "a weight that is no number": "ensembles: {choir: {members: [{model: a, weight: .nan}]}}",
    "version 0": "ensembles: {choir: {members: [{model: a, version: 0}]}}",
    "a version in words": "ensembles: {choir: {members: [{model: a, version: newest}]}}",
    "an unknown vote": "ensembles: {choir: {members: [{model: a}], vote: loudest}}",
    "a label of no version": "labels: {a: {production: newest}}",
    "labels of no model": "labels: {production: 1}",
}


@pytest.mark.parametrize("what", SENSELESS)
def test_a_declaration_without_sense_is_refused_by_its_files_name(tmp_path, what):
    with pytest.raises(ModelRejected, match=r"models\.yaml"):
        declared(tmp_path, SENSELESS[what])


def test_a_declaration_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "models.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelRejected, match=r"models\.yaml"):
        read_declaration(tmp_path)


def test_members_with_other_labels_make_no_ensemble():
    members = Member(fake_servable("shades")), Member(fake_servable("tones", labels=LABELS[::-1]))
    with pytest.raises(ModelRejected, match="'tones' and 'shades' differ"):
        Ensemble("choir", members, pb.VOTE_MAJORITY)


def test_a_model_votes_once_in_an_ensemble():
    with pytest.raises(ModelRejected, match="a member of an ensemble once"):
        Ensemble("choir", (Member(fake_servable("shades")), Member(fake_servable("shades"))), pb.VOTE_MAJORITY)


def test_an_ensemble_has_its_members_labels_and_weights():
    ensemble = Ensemble("choir", (Member(fake_servable("a"), 1.0), Member(fake_servable("b"), 2.0)), pb.VOTE_MAJORITY)
    assert ensemble.labels == LABELS
    assert [member.weight for member in ensemble.members] == [1.0, 2.0]


def test_a_model_alone_votes_as_it_was_measured():
    alone = Ensemble.of(fake_servable("shades", vote=pb.VOTE_MEAN_LOGIT))
    assert (alone.name, alone.vote, alone.members[0].weight) == ("shades", pb.VOTE_MEAN_LOGIT, 1.0)
