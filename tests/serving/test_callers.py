"""What a caller who may ask some models is answered where models are found, whatever the door."""

import pytest

from protos.classification_pb2 import VOTE_MEAN_PROBABILITY, ModelSpec
from serving.callers import Caller, caller
from serving.doors.messages import to_list
from serving.errors import Forbidden, InvalidRequest, NotServed
from serving.models.ensemble import Ensemble, Member
from serving.models.repository import Repository, ServedModel
from tests.serving.fakes import fake_servable


@pytest.fixture
def repository() -> Repository:
    servables = {name: fake_servable(name) for name in ("shades", "shapes", "tones")}
    choir = Ensemble("choir", tuple(Member(each, 1) for each in servables.values()), VOTE_MEAN_PROBABILITY)
    return Repository({name: ServedModel(name, {1: each}) for name, each in servables.items()}, {"choir": choir})


@pytest.fixture
def asks():
    """Makes the call that runs now one of a caller who may ask these models."""
    before = []

    def may_ask(*models: str) -> None:
        before.append(caller.set(Caller("shop", frozenset(models))))

    yield may_ask
    for token in before:
        caller.reset(token)


def test_a_model_that_is_listed_is_found_and_no_other(repository, asks):
    asks("shades")
    assert repository.find(ModelSpec(name="shades")).name == "shades"
    with pytest.raises(Forbidden, match="'tones' was asked"):
        repository.find(ModelSpec(name="tones"))


def test_a_model_that_is_not_served_is_refused_like_one_that_is(repository, asks):
    asks("shades")
    refusals = []
    for name in ("tones", "nones"):
        with pytest.raises(Forbidden) as refused:
            repository.find(ModelSpec(name=name))
        refusals.append(str(refused.value).replace(name, "it"))
    assert refusals[0] == refusals[1]


def test_who_may_ask_an_ensemble_need_not_may_ask_its_members(repository, asks):
    asks("choir")
    assert len(repository.find(ModelSpec(name="choir")).members) == 3
    with pytest.raises(Forbidden):
        repository.find(ModelSpec(name="tones"))


def test_without_a_name_the_only_one_that_the_caller_may_ask_answers(repository, asks):
    asks("tones")
    assert repository.find(ModelSpec()).name == "tones"


def test_refusals_name_no_model_that_the_caller_may_not_ask(repository, asks):
    asks("shades", "tones", "shape")
    with pytest.raises(InvalidRequest, match=r"one of \['shades', 'tones'\]"):
        repository.find(ModelSpec())
    with pytest.raises(NotServed) as refused:
        repository.find(ModelSpec(name="shape"))
    assert "shapes" not in str(refused.value)
    assert "choir" not in str(refused.value)


def test_who_may_ask_nothing_is_shown_nothing(repository, asks):
    asks()
    assert to_list(repository).models == []
    with pytest.raises(InvalidRequest, match=r"one of \[\]"):
        repository.find(ModelSpec())


def test_the_servers_own_work_is_nobodys_call_and_finds_everything(repository):
    assert repository.find(ModelSpec(name="tones")).name == "tones"
