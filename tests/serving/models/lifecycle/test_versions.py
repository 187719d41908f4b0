"""Which versions are loaded, and which one answers: decisions over numbers and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.classification_pb2 import ModelSpec
from serving.errors import NotServed
from serving.models.lifecycle.versions import aspired, choose, standing, version_of


@pytest.mark.parametrize("name", ["1", "42", "20261123155500"])
def test_a_positive_number_is_a_version(name):
    assert version_of(name) == int(name)


@pytest.mark.parametrize("name", ["0", "-1", "1.5", "v1", "", " 1", "1 ", "²", "٣", ".publishing-x", "1_000", "+1"])
def test_any_other_name_is_no_version(name):
    assert version_of(name) is None


def test_a_number_that_no_request_could_name_is_no_version():
    assert version_of(str(2**63 - 1)) == 2**63 - 1
    assert version_of(str(2**63)) is None


@given(st.text(max_size=20))
def test_no_directory_name_at_all_breaks_the_search_for_versions(name):
    version = version_of(name)
    assert version is None or version > 0


def newest(usable):
    return {max(usable)} if usable else set()


def test_what_the_policy_wants_is_aspired_to_and_what_is_pinned_or_kept_beside_it():
    assert aspired({1, 2, 3, 4}, newest, pinned={1}, kept={2}) == {1, 2, 4}


def test_what_is_not_usable_is_not_aspired_to_whoever_pins_it():
    assert aspired({2}, newest, pinned={1, 3}, kept={4}) == {2}
    assert aspired(set(), newest, pinned={1}, kept=set()) == set()


def test_a_label_stays_where_it_was_until_its_new_version_is_ready():
    assert standing({"production": 2}, before={"production": 1}, ready={1}) == {"production": 1}
    assert standing({"production": 2}, before={"production": 1}, ready={1, 2}) == {"production": 2}


def test_a_label_of_versions_that_are_not_ready_is_not_given():
    assert standing({"production": 2, "canary": 3}, before={"production": 1}, ready={4}) == {}


def test_a_label_that_nobody_gives_any_more_is_gone():
    assert standing({}, before={"production": 1}, ready={1}) == {}


def test_without_a_choice_the_newest_ready_version_answers():
    assert choose(ModelSpec(name="m"), ready=[2, 10, 9], labels={}) == 10


def test_a_version_that_is_asked_for_answers():
    assert choose(ModelSpec(name="m", version=2), ready=[2, 10], labels={}) == 2


def test_a_label_stands_for_its_version():
    assert choose(ModelSpec(name="m", version_label="production"), ready=[2, 10], labels={"production": 2}) == 2


@pytest.mark.parametrize("version", [1, 0, -3, 2**62])
def test_a_version_that_is_not_loaded_is_refused_with_those_that_are(version):
    with pytest.raises(NotServed, match=rf"model 'm', version {version} is not, versions \[10, 2\] are"):
        choose(ModelSpec(name="m", version=version), ready=[2, 10], labels={})


def test_an_unknown_label_is_refused_with_those_there_are():
    with pytest.raises(NotServed, match=r"no label 'beta', it has \['canary', 'production'\]"):
        choose(ModelSpec(name="m", version_label="beta"), ready=[2], labels={"production": 2, "canary": 2})


def test_a_label_of_a_version_that_did_not_load_is_refused():
    with pytest.raises(NotServed, match="version 3 is not"):
        choose(ModelSpec(name="m", version_label="production"), ready=[2], labels={"production": 3})


def test_an_empty_label_is_asked_for_and_not_mistaken_for_none():
    with pytest.raises(NotServed):
        choose(ModelSpec(name="m", version_label=""), ready=[2], labels={})


def test_a_version_on_trial_answers_only_who_names_it():
    ready = [2, 3]
    assert choose(ModelSpec(name="m"), ready, {}, on_trial={3}) == 2
    assert choose(ModelSpec(name="m", version=3), ready, {}, on_trial={3}) == 3
    assert choose(ModelSpec(name="m", version_label="next"), ready, {"next": 3}, on_trial={3}) == 3


def test_where_all_that_is_ready_is_on_trial_the_newest_answers():
    assert choose(ModelSpec(name="m"), [2, 3], {}, on_trial={2, 3}) == 3


def test_a_version_on_trial_is_aspired_to_beside_the_newest_of_the_others():
    assert aspired({1, 2, 3}, newest, pinned=set(), kept=set(), on_trial={3}) == {2, 3}
