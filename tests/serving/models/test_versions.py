"""Which versions are loaded, and which one answers: decisions over numbers and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.classification_pb2 import ModelSpec
from serving.errors import NotServed
from serving.models.versions import candidates, choose, version_of


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


def test_the_newest_version_is_wanted_and_failing_it_the_next():
    assert candidates([2, 10, 1], pinned=[]) == [[10, 2, 1]]


def test_pinned_versions_are_wanted_beside_the_newest_and_have_no_substitute():
    assert candidates([1, 2, 3], pinned=[1, 2, 1]) == [[3, 2, 1], [1], [2]]


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
