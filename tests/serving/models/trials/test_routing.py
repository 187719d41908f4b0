"""Which calls fall to a version on trial."""

from hypothesis import given
from hypothesis import strategies as st

from serving.models.trials.routing import falls_to_trial, place_of

KEYS = [f"caller {number}" for number in range(4000)]


def taken(percent: float, version: int = 3) -> set[str]:
    return {key for key in KEYS if falls_to_trial(place_of(key, "shades", version), percent)}


def test_keys_are_spread_evenly():
    for percent in (5, 50):
        assert abs(len(taken(percent)) / len(KEYS) - percent / 100) < 0.02


def test_a_key_keeps_its_place_over_replicas_and_releases():
    assert place_of("caller 1", "shades", 3) == 0.401613774331242


def test_who_is_within_a_share_stays_within_a_larger_one():
    assert taken(5) < taken(20) < taken(100) == set(KEYS)


def test_another_trial_tries_other_callers():
    assert len(taken(10, version=3) & taken(10, version=4)) < 0.03 * len(KEYS)


@given(st.text())
def test_any_key_has_a_place_and_none_is_taken_at_no_share(key):
    place = place_of(key, "shades", 1)
    assert 0 <= place < 1
    assert not falls_to_trial(place, 0)
    assert falls_to_trial(place, 100)
