"""When a rate has passed a bound: late enough to be sure, soon enough to be of use."""

import random

import pytest

from serving.models.trials.evidence import FALSE_ALARM, Count


def alarm(rate: float, bound: float, calls: int, seed: int) -> int | None:
    """After how many calls that go wrong at `rate` the bound is passed; None where that is never."""
    dice, count = random.Random(seed), Count()
    for call in range(1, calls + 1):
        count.add(wrong=dice.random() < rate)
        if count.passes(bound):
            return call
    return None


@pytest.mark.parametrize("bound", [0.01, 0.1])
def test_of_versions_at_their_bound_hardly_any_is_ever_refused(bound):
    alarms = [alarm(bound, bound, calls=2000, seed=seed) for seed in range(300)]
    assert sum(each is not None for each in alarms) <= 2 * FALSE_ALARM * len(alarms)


@pytest.mark.parametrize(("rate", "bound", "within"), [(0.05, 0.01, 1000), (0.2, 0.1, 1000), (0.02, 0.01, 4000)])
def test_a_version_that_is_worse_is_found_out(rate, bound, within):
    assert all(alarm(rate, bound, within, seed) for seed in range(20))


def test_a_version_that_always_fails_is_found_out_after_three_calls():
    assert Count(calls=3, wrong=3).passes(0.01)
    assert not Count(calls=2, wrong=2).passes(0.01)


def test_a_single_failure_among_few_calls_proves_nothing():
    assert not any(Count(calls=calls, wrong=1).passes(0.01) for calls in range(1, 200))


def test_no_rate_passes_a_bound_of_everything():
    assert not Count(calls=1000, wrong=1000).passes(1.0)


def test_without_calls_there_is_no_rate_to_speak_of():
    assert Count().rate == 0
    assert not Count().passes(0.0)
