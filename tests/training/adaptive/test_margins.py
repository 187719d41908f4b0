"""Margins of adaptive votes: what is promised holds on other pictures, and costs few rows."""

import numpy as np
import pytest

from protos.classification_pb2 import VIEWS_TEN, VOTE_MAJORITY, VOTE_MEAN_PROBABILITY
from protos.model_card_pb2 import AdaptiveVote, VoteRound
from serving.pipeline.voting import vote
from training.adaptive.margins import calibrate, simulate
from training.errors import DataUnusable

WEIGHTS = [1.0, 2.0, 1.0]


def logits_of(pictures: int, seed: int) -> np.ndarray:
    """float32 [pictures, 3 members, ten views, 4 classes]: most pictures are clear to all, some to few."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(4, size=pictures)
    clearness = chance.exponential(4.0, size=(pictures, 1, 1, 1))
    logits = chance.normal(size=(pictures, 3, 10, 4)) + clearness * np.eye(4)[truth][:, None, None]
    return logits.astype(np.float32)


def full_winners(logits, rule=VOTE_MEAN_PROBABILITY) -> np.ndarray:
    return np.array([vote(each, rule, WEIGHTS).ranking[0] for each in logits])


@pytest.mark.parametrize("rule", [VOTE_MEAN_PROBABILITY, VOTE_MAJORITY])
def test_what_is_promised_holds_on_other_pictures_and_saves_rows(rule):
    adaptive = calibrate(logits_of(2000, seed=1), VIEWS_TEN, rule, WEIGHTS, agreement=0.98)
    others = logits_of(4000, seed=2)
    early = simulate(others, adaptive, WEIGHTS)
    assert (early.winners == full_winners(others, rule)).mean() >= 0.98
    assert early.rows < 0.6


def test_a_promise_that_is_kept_more_often_costs_more_rows():
    logits = logits_of(1500, seed=3)
    strict, lax = (calibrate(logits, VIEWS_TEN, VOTE_MEAN_PROBABILITY, WEIGHTS, each) for each in (0.995, 0.95))
    assert lax.rows < strict.rows
    assert lax.agreed <= strict.agreed


def test_a_vote_without_rounds_is_the_full_one():
    logits = logits_of(50, seed=4)
    full = AdaptiveVote(vote=VOTE_MEAN_PROBABILITY, member_order=[2, 0, 1], view_order=range(10))
    outcomes = simulate(logits, full, WEIGHTS)
    np.testing.assert_array_equal(outcomes.winners, full_winners(logits))
    assert outcomes.rows == 1


def test_rows_are_those_of_the_rounds_that_ended_votes():
    logits = np.zeros((4, 2, 10, 3), np.float32)
    logits[:2, :, :, 0] = 9  # clear at once; the others never are
    adaptive = AdaptiveVote(
        vote=VOTE_MEAN_PROBABILITY,
        member_order=[0, 1],
        view_order=range(10),
        rounds=[VoteRound(members=1, views=1, margin=0.5)],
    )
    assert simulate(logits, adaptive, [1.0, 1.0]).rows == pytest.approx((2 * 1 + 2 * 20) / (4 * 20))


def test_views_at_the_centre_come_first_and_the_member_that_agrees_most():
    logits = logits_of(600, seed=5)
    logits[:, 1] *= 3
    adaptive = calibrate(logits, VIEWS_TEN, VOTE_MEAN_PROBABILITY, WEIGHTS, 0.95)
    assert list(adaptive.view_order[:2]) == [0, 5]
    assert adaptive.member_order[0] == 1


def test_too_few_pictures_promise_nothing():
    with pytest.raises(DataUnusable, match=r"at least 1196 held-out pictures; 1000 came"):
        calibrate(logits_of(1000, seed=6), VIEWS_TEN, VOTE_MEAN_PROBABILITY, WEIGHTS, 0.995)
