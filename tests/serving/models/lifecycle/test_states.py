"""What comes next for the versions of a model."""

from hypothesis import given
from hypothesis import strategies as st

from serving.models.lifecycle.states import Loaded, Step, next_step

versions = st.frozensets(st.integers(1, 4), max_size=4)


def test_the_newest_of_those_that_are_missing_is_loaded_first():
    assert next_step(aspired={1, 2, 3}, failed=set(), loaded=Loaded({1})) == Step(load=3)


def test_an_old_version_stays_until_the_new_one_is_ready():
    assert next_step({2}, set(), Loaded({1})) == Step(load=2)
    assert next_step({2}, set(), Loaded({1, 2})) == Step(unload={1})


def test_nothing_unloads_while_another_version_is_to_be_loaded():
    assert next_step({1, 3}, set(), Loaded({1, 2})) == Step(load=3)


def test_one_that_failed_is_not_tried_again():
    assert next_step({2}, {2}, Loaded({2}, outdated=set())) == Step()
    assert next_step({2}, {2}, Loaded(set(), outdated={2})) == Step()


def test_one_that_is_declared_otherwise_now_is_loaded_again_beside_itself():
    assert next_step({1}, set(), Loaded(set(), outdated={1})) == Step(load=1)


def test_a_model_that_is_wanted_no_more_unloads_whole():
    assert next_step(set(), set(), Loaded({1}, outdated={2})) == Step(unload={1, 2})


def test_with_resources_preserved_the_old_version_goes_first_and_is_waited_for():
    assert next_step({2}, set(), Loaded({1}), "resource_preserving") == Step(unload={1})
    assert next_step({2}, set(), Loaded(set(), unloading={1}), "resource_preserving") == Step()
    assert next_step({2}, set(), Loaded(set()), "resource_preserving") == Step(load=2)


def test_with_resources_preserved_one_that_is_declared_otherwise_goes_before_it_comes_again():
    assert next_step({1}, set(), Loaded(set(), outdated={1}), "resource_preserving") == Step(unload={1})


@given(versions, versions, versions, versions)
def test_where_availability_is_preserved_a_step_never_leaves_a_wanted_model_without_a_version(
    aspired, failed, current, outdated
):
    loaded = Loaded(current, outdated - current)
    wanted = aspired - (failed - loaded.ready)  # what else the manager never aspires to
    step = next_step(wanted, failed, loaded)
    if wanted and loaded.ready:
        assert loaded.ready - step.unload


@given(versions, versions, versions, st.sampled_from(["preserving", "resource_preserving"]))
def test_steps_end_and_what_is_wanted_is_ready_then(aspired, failed, current, availability):
    loaded = Loaded(current)
    wanted = aspired - (failed - current)
    for _ in range(10):
        step = next_step(wanted, failed, loaded, availability)
        if step == Step():
            break
        loaded = Loaded(loaded.current - step.unload | ({step.load} if step.load else set()))
    assert loaded.ready == wanted
