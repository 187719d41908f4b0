"""Votes that may end early: who is asked about what in each round, and when a vote is decided. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from protos.model_card_pb2 import AdaptiveVote, VoteRound
from serving.pipeline.voting import Verdict


class Part(NamedTuple):
    """Rows of one member that a round asks for: positions in `AdaptiveVote.view_order`."""

    member: int
    """Position in `AdaptiveVote.member_order`."""
    views: slice


def rounds_of(adaptive: AdaptiveVote) -> Iterator[VoteRound]:
    """All of them, the full vote last, which any margin decides."""
    yield from adaptive.rounds
    yield VoteRound(members=len(adaptive.member_order), views=len(adaptive.view_order), margin=0.0)


def parts_of(round: VoteRound, before: VoteRound) -> list[Part]:
    """What `round` asks for beyond the one before it."""
    known = [before.views] * before.members + [0] * (round.members - before.members)
    return [
        Part(member, slice(known[member], round.views))
        for member in range(round.members)
        if known[member] < round.views
    ]


def is_decided(verdict: Verdict, margin: float) -> bool:
    """Whether the winner leads by at least `margin`, a difference of probabilities."""
    return bool(lead(verdict) >= margin)


def lead(verdict: Verdict) -> float:
    """The winner's probability less the next's: from 0 to 1."""
    first, second = verdict.probabilities[verdict.ranking[:2]]
    return float(first - second)
