"""Votes as arithmetic: each rule against its definition, and what no vote may depend on."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protos import classification_pb2 as pb
from serving.pipeline.voting import agreement, each_verdict, each_view, mean_logits, vote

RULES = [pb.VOTE_MEAN_PROBABILITY, pb.VOTE_MEAN_LOGIT, pb.VOTE_MAJORITY]


@st.composite
def elections(draw):
    """Logits [members, views, classes] of any sane size, and a weight a member."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 10), st.integers(2, 12)))
    spread = draw(st.sampled_from([0.01, 1.0, 30.0, 1e4]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = draw(st.lists(st.floats(0.01, 100), min_size=shape[0], max_size=shape[0]))
    return generator.normal(0, spread, shape).astype(np.float32), weights


def softmax(logits):
    """In float64, and by the book."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def logits_of(*members):
    """float32 [members, views, classes] whose softmax is the probabilities given, by member and view."""
    return np.log(np.array(members, np.float32))


@given(elections(), st.sampled_from(RULES))
def test_probabilities_are_from_0_to_1_and_add_up_to_1(election, rule):
    probabilities = vote(election[0], rule, election[1]).probabilities
    assert probabilities.dtype == np.float32
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert abs(probabilities.sum() - 1) < 1e-5


@given(elections(), st.sampled_from(RULES))
def test_the_ranking_holds_every_class_once_the_most_probable_first(election, rule):
    verdict = vote(election[0], rule, election[1])
    assert sorted(verdict.ranking) == list(range(election[0].shape[-1]))
    assert (np.diff(verdict.probabilities[verdict.ranking]) <= 0).all()


@given(elections(), st.sampled_from(RULES), st.randoms(use_true_random=False))
def test_the_order_of_views_and_members_does_not_matter(election, rule, random):
    logits, weights = election
    members = random.sample(range(logits.shape[0]), logits.shape[0])
    views = random.sample(range(logits.shape[1]), logits.shape[1])
    shuffled = vote(logits[members][:, views], rule, [weights[member] for member in members])
    np.testing.assert_allclose(shuffled.probabilities, vote(logits, rule, weights).probabilities, atol=1e-4)


@pytest.mark.parametrize("rule", [pb.VOTE_MEAN_PROBABILITY, pb.VOTE_MEAN_LOGIT])
@given(seed=st.integers(0, 2**32 - 1))
def test_one_view_of_one_member_is_its_softmax(rule, seed):
    logits = np.random.default_rng(seed).normal(0, 3, (1, 1, 7)).astype(np.float32)
    np.testing.assert_allclose(vote(logits, rule, [3.0]).probabilities, softmax(logits)[0, 0], rtol=1e-4)


def test_one_view_of_one_member_wins_a_majority_whole():
    assert vote(logits_of([[0.2, 0.5, 0.3]]), pb.VOTE_MAJORITY, [1.0]).probabilities.tolist() == [0, 1, 0]


@given(elections())
def test_mean_probability_averages_softmax_by_weight(election):
    logits, weights = election
    expected = np.average(softmax(logits).mean(axis=1), axis=0, weights=weights)
    np.testing.assert_allclose(vote(logits, pb.VOTE_MEAN_PROBABILITY, weights).probabilities, expected, atol=1e-5)


@given(elections())
def test_mean_logit_is_the_normalised_geometric_mean_of_the_probabilities(election):
    logits, weights = election
    assume(np.abs(logits).max() < 200)  # beyond, the definition itself underflows
    geometric = np.exp(np.average(np.log(softmax(logits)).mean(axis=1), axis=0, weights=weights))
    verdict = vote(logits, pb.VOTE_MEAN_LOGIT, weights)
    np.testing.assert_allclose(verdict.probabilities, geometric / geometric.sum(), atol=1e-4)


@given(elections())
def test_a_majoritys_probability_is_the_weighted_share_of_the_ballots(election):
    logits, weights = election
    ballots = np.zeros(logits.shape[-1])
    for member, weight in zip(logits, weights, strict=True):
        for view in member:
            ballots[view.argmax()] += weight
    verdict = vote(logits, pb.VOTE_MAJORITY, weights)
    np.testing.assert_allclose(verdict.probabilities, ballots / ballots.sum(), atol=1e-6)


def test_a_tied_majority_is_broken_by_mean_probability():
    one_each = logits_of([[0.6, 0.4, 0.0001], [0.1, 0.9, 0.0001]])
    verdict = vote(one_each, pb.VOTE_MAJORITY, [1.0])
    assert verdict.probabilities.tolist() == [0.5, 0.5, 0]
    assert verdict.ranking.tolist() == [1, 0, 2]


def test_equal_shares_are_a_tie_although_0_1_and_0_2_are_more_than_0_3_in_binary():
    members = [[[0.6, 0.4]], [[0.6, 0.4]], [[0.01, 0.99]]]
    verdict = vote(logits_of(*members), pb.VOTE_MAJORITY, [0.1, 0.2, 0.3])
    assert verdict.probabilities.tolist() == [0.5, 0.5]
    assert verdict.ranking.tolist() == [1, 0]


def test_a_heavier_member_outvotes_two_lighter_ones():
    members = [[[0.9, 0.1]], [[0.9, 0.1]], [[0.1, 0.9]]]
    assert vote(logits_of(*members), pb.VOTE_MAJORITY, [1, 1, 3]).ranking[0] == 1
    assert vote(logits_of(*members), pb.VOTE_MAJORITY, [1, 1, 1]).ranking[0] == 0


def test_only_the_ratio_of_weights_counts():
    logits = np.random.default_rng(0).normal(0, 2, (3, 2, 5)).astype(np.float32)
    for rule in RULES:
        light, heavy = vote(logits, rule, [1, 2, 3]), vote(logits, rule, [10, 20, 30])
        np.testing.assert_allclose(light.probabilities, heavy.probabilities, atol=1e-6)


@given(elections(), st.sampled_from(RULES), st.integers(0, 2**32 - 1))
def test_adding_a_constant_to_a_row_of_logits_changes_nothing(election, rule, seed):
    logits, weights = election
    assume(np.abs(logits).max() < 200)
    quantised = np.round(logits * 64) / np.float32(64)  # so that adding loses no bit, and makes no tie
    constants = np.random.default_rng(seed).integers(-50, 50, (*logits.shape[:2], 1)).astype(np.float32)
    moved, still = vote(quantised + constants, rule, weights), vote(quantised, rule, weights)
    np.testing.assert_allclose(moved.probabilities, still.probabilities, atol=1e-4)


@pytest.mark.parametrize("rule", RULES)
def test_equals_are_ranked_by_class_id(rule):
    assert vote(np.zeros((2, 3, 4), np.float32), rule, [1, 1]).ranking.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("rule", RULES)
def test_large_logits_do_not_overflow(rule):
    logits = np.array([[[9e4, -9e4, 0.0], [8e4, 9e4, 0.0]]], np.float32)
    assert np.isfinite(vote(logits, rule, [1]).probabilities).all()


def test_a_vote_that_is_none_is_refused():
    with pytest.raises(ValueError, match="one of"):
        vote(np.zeros((1, 1, 2), np.float32), pb.VOTE_UNSPECIFIED, [1])


@given(elections(), st.sampled_from(RULES))
def test_agreement_is_a_share_and_whole_where_all_say_the_same(election, rule):
    logits, weights = election
    winner = vote(logits, rule, weights).ranking[0]
    assert all(0 <= share <= 1 + 1e-9 for share in agreement(logits, rule, weights, winner))
    unanimous = np.broadcast_to(logits[:1, :1], logits.shape)
    assert agreement(unanimous, rule, weights, unanimous[0, 0].argmax()) == pytest.approx((1, 1))


def test_agreement_counts_views_and_members_by_weight():
    logits = logits_of([[0.9, 0.1], [0.9, 0.1]], [[0.8, 0.2], [0.4, 0.6]], [[0.1, 0.9], [0.1, 0.9]])
    assert agreement(logits, pb.VOTE_MEAN_PROBABILITY, [1, 2, 1], 0) == pytest.approx((0.5, 0.75))


@given(elections(), st.sampled_from(RULES))
def test_each_view_is_what_a_vote_of_that_view_alone_would_be(election, rule):
    logits, weights = election
    alone = [vote(logits[:, [view]], rule, weights).probabilities for view in range(logits.shape[1])]
    together = each_view(logits, rule, weights)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-6)


@given(elections(), st.sampled_from(RULES))
def test_verdicts_of_each_view_are_those_of_votes_over_it_alone(election, rule):
    logits, weights = election
    together = each_verdict(logits, rule, weights)
    for view in range(logits.shape[1]):
        alone = vote(logits[:, view : view + 1], rule, weights)
        np.testing.assert_allclose(together.probabilities[view], alone.probabilities, atol=1e-6)
        assert together.ranking[view].tolist() == alone.ranking.tolist()


@given(elections())
def test_mean_logits_are_even_over_views_and_by_weight_over_members(election):
    logits, weights = election
    expected = np.average(logits.astype(np.float64).mean(axis=1), axis=0, weights=weights)
    found = mean_logits(logits, weights)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(logits).max())
