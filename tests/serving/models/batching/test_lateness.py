"""What a promise leaves for what is not foreseen."""

from serving.models.batching.lateness import Lateness


def test_promises_that_are_kept_to_the_second_need_no_margin():
    lateness = Lateness()
    for _ in range(10):
        lateness.learn(0.0)
    assert lateness.margin == 0


def test_calls_that_come_early_or_late_by_turns_need_a_margin_that_covers_both():
    lateness = Lateness()
    for late in 50 * [0.1, -0.1]:
        lateness.learn(late)
    assert 0.1 < lateness.margin < 0.5


def test_a_call_that_was_very_late_is_forgotten_in_time():
    lateness = Lateness()
    lateness.learn(10.0)
    for _ in range(100):
        lateness.learn(0.0)
    assert lateness.margin < 0.01
