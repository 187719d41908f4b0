"""Asking the members of an ensemble: all at once, or in rounds until the vote is decided."""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from protos.model_card_pb2 import AdaptiveVote, VoteRound
from serving.errors import Overloaded
from serving.models.batching.waiting import Scored
from serving.models.ensemble import Ensemble, Member
from serving.pipeline import rounds
from serving.pipeline.voting import vote

log = logging.getLogger(__name__)

LATE, FAILED = "late", "failed"
"""Why a member is absent."""


Parts = Sequence[tuple[Member, NDArray[np.uint8]]]
"""Rows, and the member that is asked about them."""


class Terms(NamedTuple):
    """On which the rows of one request wait in the members' queues; see BatchQueue.submit."""

    deadline: float
    priority: pb.Priority
    arrived: float


class Absence(NamedTuple):
    """A member without whom the vote is held."""

    member: Member
    reason: str


class Poll(NamedTuple):
    """What the members said."""

    voters: tuple[Member, ...]
    absent: tuple[Absence, ...]
    views: Sequence[int]
    """Positions in the plan of the views that they were asked about."""
    logits: NDArray[np.float32]
    """float32 [voters, views, classes], after each voter's temperature."""
    rows: int
    """Computed for this, over all members."""
    started: float
    """When the last batch needed was started."""

    @property
    def weights(self) -> list[float]:
        """One for each voter."""
        return [member.weight for member in self.voters]


async def poll(ensemble: Ensemble, rows: Sequence[NDArray[np.uint8]], terms: Terms, now: float) -> Poll:
    """Asks every member about every view at once. `rows` are uint8 [views, height, width, channels], one array
    for each member; `now` is on the queues' clock.

    Without a quorum, raises what the first member that fails does. With one, members that fail or are late are
    left out while enough others answer.
    """
    parts = list(zip(ensemble.members, rows, strict=True))
    answers = await _ask_for_quorum(ensemble, parts, terms, now) if ensemble.quorum else await _ask(parts, terms)
    both = list(zip(ensemble.members, answers, strict=True))
    there = [(member, answer) for member, answer in both if isinstance(answer, Scored)]
    return Poll(
        voters=tuple(member for member, _ in there),
        absent=tuple(Absence(member, answer) for member, answer in both if isinstance(answer, str)),
        views=range(len(rows[0])),
        logits=np.array([_tempered(member, scores) for member, scores in there]),
        rows=sum(map(len, rows)),
        started=max(scores.started for _, scores in there),
    )


async def poll_adaptively(
    ensemble: Ensemble, rows: Sequence[NDArray[np.uint8]], terms: Terms, adaptive: AdaptiveVote
) -> Poll:
    """Asks in the rounds of `adaptive` until the vote is decided; `rows` as in `poll`. Raises what the first member
    that fails does: margins say nothing of a vote without it.
    """
    members = [ensemble.members[position] for position in adaptive.member_order]
    ordered = [rows[position][list(adaptive.view_order)] for position in adaptive.member_order]
    said: list[list[NDArray[np.float32]]] = [[] for _ in members]
    before, asked, started = VoteRound(), 0, 0.0
    for round in rounds.rounds_of(adaptive):
        parts = rounds.parts_of(round, before)
        answers = await _ask([(members[part.member], ordered[part.member][part.views]) for part in parts], terms)
        for part, scores in zip(parts, answers, strict=True):
            said[part.member].append(_tempered(members[part.member], scores))
            asked += len(scores.logits)
            started = max(started, scores.started)
        voters = tuple(members[: round.members])
        logits = np.array([np.concatenate(each) for each in said[: round.members]])
        if rounds.is_decided(vote(logits, adaptive.vote, [voter.weight for voter in voters]), round.margin):
            break
        before = round
    return Poll(voters, (), adaptive.view_order[: round.views], logits, asked, started)


async def _ask(parts: Parts, terms: Terms) -> Sequence[Scored]:
    """The scores of each part, all asked at once."""
    futures: list[asyncio.Future[Scored]] = []
    try:
        for member, rows in parts:
            futures.append(member.servable.submit(rows, *terms))
        return [await futures[0]] if len(futures) == 1 else await asyncio.gather(*futures)
    finally:
        _withdraw(futures)


async def _ask_for_quorum(ensemble: Ensemble, parts: Parts, terms: Terms, now: float) -> Sequence[Scored | str]:
    """The scores of each part, all asked at once, or the reason for its absence."""
    futures: list[asyncio.Future[Scored]] = []
    try:
        for member, rows in parts:
            futures.append(_submitted(member, rows, terms))
        await _until_quorum(futures, ensemble.quorum, ensemble.patience_seconds, terms.deadline - now)
        return [_outcome(member, future) for (member, _), future in zip(parts, futures, strict=True)]
    finally:
        _withdraw(futures)


def _withdraw(futures: Sequence[asyncio.Future[Scored]]) -> None:
    for future in futures:
        future.cancel()  # does nothing to those that are done, and withdraws the rows of the others


def _submitted(member: Member, rows: NDArray[np.uint8], terms: Terms) -> asyncio.Future[Scored]:
    """Fails where the member takes no more rows, as where it fails on them."""
    try:
        return member.servable.submit(rows, *terms)
    except Overloaded as error:
        refused: asyncio.Future[Scored] = asyncio.get_running_loop().create_future()
        refused.set_exception(error)
        return refused


async def _until_quorum(
    futures: Sequence[asyncio.Future[Scored]], quorum: int, patience: float, seconds_left: float
) -> None:
    """Returns once all are done, or `quorum` have answered and the others were waited for long enough: `patience`
    seconds more, and no longer than the deadline allows, in `seconds_left`. Raises the first failure once too many
    failed.
    """
    now = asyncio.get_running_loop().time
    last_call = now() + seconds_left
    while True:
        failures = [error for each in futures if each.done() and (error := each.exception())]
        if len(failures) > len(futures) - quorum:
            raise failures[0]
        pending = [each for each in futures if not each.done()]
        if not pending:
            return
        timeout = None
        if len(futures) - len(pending) - len(failures) >= quorum:
            last_call = min(last_call, now() + patience)
            timeout = max(0.0, last_call - now())
        done, _ = await asyncio.wait(pending, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return


def _outcome(member: Member, future: asyncio.Future[Scored]) -> Scored | str:
    if not future.done():
        return LATE
    if error := future.exception():
        log.error("%s version %s has no part in a vote", member.servable.name, member.servable.version, exc_info=error)
        return FAILED
    return future.result()


def _tempered(member: Member, scores: Scored) -> NDArray[np.float32]:
    return scores.logits / np.float32(member.servable.card.temperature)
