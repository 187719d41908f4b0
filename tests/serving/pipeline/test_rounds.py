"""Rounds of an adaptive vote: every row of the full vote is asked about once, and a lead ends it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.model_card_pb2 import AdaptiveVote, VoteRound
from serving.pipeline.rounds import is_decided, lead, parts_of, rounds_of
from serving.pipeline.voting import Verdict


@given(
    st.integers(1, 5),
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 8)), max_size=4),
)
def test_every_row_of_the_full_vote_is_asked_about_once(members, views, sizes):
    growing = []
    for size in sorted(sizes):
        if size[0] <= members and size[1] <= views and (not growing or size[1] >= growing[-1][1]):
            growing.append(size)
    adaptive = AdaptiveVote(
        member_order=range(members),
        view_order=range(views),
        rounds=[VoteRound(members=members, views=views) for members, views in growing],
    )
    asked, before = np.zeros((members, views), int), VoteRound()
    for round in rounds_of(adaptive):
        for part in parts_of(round, before):
            asked[part.member, part.views] += 1
        assert (asked[: round.members, : round.views] == 1).all()
        assert asked.sum() == round.members * round.views
        before = round
    assert (asked == 1).all()


@pytest.mark.parametrize(("margin", "decided"), [(0.0, True), (0.25, True), (0.26, False)])
def test_a_vote_is_decided_by_what_the_winner_is_above_the_next(margin, decided):
    verdict = Verdict(np.array([0.25, 0.5, 0.25], np.float32), np.array([1, 0, 2]))
    assert lead(verdict) == 0.25
    assert is_decided(verdict, margin) == decided
