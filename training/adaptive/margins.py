"""When a vote over views and members may end early: the rounds, and the margin that decides each.

The margins are the smallest that keep early winners equal to the full vote's, on pictures that no member was trained
on, often enough for the agreement that is promised. Pure arithmetic over scores.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from protos.classification_pb2 import Views, Vote
from protos.model_card_pb2 import AdaptiveVote, VoteRound
from serving.pipeline.plans import CROPS, OWN
from serving.pipeline.rounds import is_decided, lead, rounds_of
from serving.pipeline.voting import vote
from training.errors import DataUnusable

_SHARES = 4
"""The disagreements that are allowed are handed to rounds in so many parts: all ways to do that are tried."""


class Outcomes(NamedTuple):
    """How a vote in rounds goes over pictures."""

    winners: NDArray[np.intp]
    """Class ids [pictures]."""
    rows: float
    """Computed, of the full vote's rows: from 0 to 1."""


def calibrate(
    logits: NDArray[np.float32],
    views: Views,
    rule: Vote,
    weights: Sequence[float],
    agreement: float = 0.995,
    confidence: float = 0.95,
) -> AdaptiveVote:
    """Rounds of few rows whose winner is the full vote's on a share of pictures that is at least `agreement`, with
    such `confidence`.

    Every other picture is learned from: for each number of disagreements, the margins of fewest rows. They are
    tested on the others, from none upwards, until the bound of Clopper and Pearson 1934 on the share of
    disagreements is too high: fixed-sequence testing (Angelopoulos et al. 2021, Learn then Test, section 2.3).

    `logits` is float32 [pictures, members, views, classes] of held-out pictures, after each member's temperature, with
    all of `views`. Raises DataUnusable where so few pictures can promise nothing.
    """
    adaptive = AdaptiveVote(
        views=views,
        vote=rule,
        member_order=_most_agreeable(logits, rule, weights),
        view_order=_from_the_centre(views),
        agreement=agreement,
        confidence=confidence,
        pictures=len(logits),
    )
    heard = _in_order(logits, adaptive)
    ordered = [weights[member] for member in adaptive.member_order]
    winners = np.array([vote(each, rule, ordered).ranking[0] for each in heard])
    learning, testing = (
        [
            _Candidate.of(heard[half], members, seen, rule, ordered, winners[half])
            for members, seen in _sizes(*logits.shape[1:3])
        ]
        for half in (slice(0, None, 2), slice(1, None, 2))
    )
    margins = _proven(learning, testing, _allowed(len(logits) // 2, agreement, confidence), logits[0, ..., 0].size)
    adaptive.rounds.extend(
        VoteRound(members=each.members, views=each.views, margin=margin)
        for each, margin in zip(learning, margins, strict=True)
        if margin is not None
    )
    early = simulate(logits, adaptive, weights)
    adaptive.agreed, adaptive.rows = float((early.winners == winners).mean()), early.rows
    return adaptive


def simulate(logits: NDArray[np.float32], adaptive: AdaptiveVote, weights: Sequence[float]) -> Outcomes:
    """How `adaptive` goes over pictures of which everything is known; `logits` and `weights` as in `calibrate`."""
    heard = _in_order(logits, adaptive)
    ordered = [weights[member] for member in adaptive.member_order]
    winners, rows = np.empty(len(heard), np.intp), 0
    for picture, each in enumerate(heard):
        for round in rounds_of(adaptive):
            verdict = vote(each[: round.members, : round.views], adaptive.vote, ordered[: round.members])
            if is_decided(verdict, round.margin):
                break
        winners[picture] = verdict.ranking[0]
        rows += round.members * round.views
    return Outcomes(winners, rows / heard[..., 0].size)


class _Candidate(NamedTuple):
    """What a round would say of each picture."""

    members: int
    views: int
    leads: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    """Whether its winner is another than the full vote's."""

    @classmethod
    def of(cls, heard, members: int, views: int, rule: Vote, weights: Sequence[float], winners) -> "_Candidate":
        verdicts = [vote(each[:members, :views], rule, weights[:members]) for each in heard]
        wrong = np.array([verdict.ranking[0] for verdict in verdicts]) != winners
        return cls(members, views, np.array([lead(verdict) for verdict in verdicts]), wrong)


def _allowed(pictures: int, agreement: float, confidence: float) -> int:
    """Disagreements among so many pictures that still let the promise be made."""
    counts = np.arange(pictures)
    kept = beta.ppf(confidence, counts + 1, pictures - counts) <= 1 - agreement
    if not kept[:1].any():
        fewest = int(np.ceil(np.log(1 - confidence) / np.log(agreement)))
        raise DataUnusable(
            f"To promise an agreement of {agreement:.2%} takes at least {2 * fewest} held-out pictures; "
            f"{2 * pictures} came. "
            "Hold out more, or promise less."
        )
    return int(np.flatnonzero(kept)[-1])


def _most_agreeable(logits: NDArray[np.float32], rule: Vote, weights: Sequence[float]) -> list[int]:
    """Members, the one first whose first view alone agrees most often with the full vote."""
    winners = np.array([vote(each, rule, weights).ranking[0] for each in logits])
    agreed = (logits[:, :, 0].argmax(axis=-1) == winners[:, None]).mean(axis=0)
    return np.argsort(-agreed, kind="stable").tolist()


def _from_the_centre(views: Views) -> list[int]:
    """Positions of the views, those first that see most of what the network was trained to see."""
    plan = CROPS[views]
    return sorted(
        range(len(plan)),
        key=lambda at: (plan[at].canvas != OWN, abs(plan[at].top - 0.5) + abs(plan[at].left - 0.5), plan[at].mirrored),
    )


def _in_order(logits: NDArray[np.float32], adaptive: AdaptiveVote) -> NDArray[np.float32]:
    return logits[:, list(adaptive.member_order)][:, :, list(adaptive.view_order)]


def _sizes(members: int, views: int) -> list[tuple[int, int]]:
    """Members and views of the rounds before the full vote: first more members with one view, then more views."""
    some = sorted({1, min(2, members), -(-members // 2), members})
    more = sorted({2, -(-views // 4), -(-views // 2)})
    sizes = [(count, 1) for count in some] + [(members, count) for count in more if 1 < count < views]
    return [size for size in sizes if size != (members, views)]


def _budgets(allowed: int, rounds: int) -> Iterator[list[int]]:
    """Every way to hand out `allowed` disagreements to rounds, in parts."""

    def parts(left: int, rounds: int) -> Iterator[list[int]]:
        if rounds == 1:
            yield [left]
            return
        for first in range(left + 1):
            for rest in parts(left - first, rounds - 1):
                yield [first, *rest]

    for shares in parts(_SHARES, rounds) if rounds else [[]]:
        yield [allowed * share // _SHARES for share in shares]


def _proven(
    learning: Sequence[_Candidate], testing: Sequence[_Candidate], allowed: int, full: int
) -> list[float | None]:
    """The margins learned with the most disagreements of which those with fewer, and they, pass the test."""
    proven: list[float | None] = [None] * len(learning)
    for most in range(allowed + 1):
        margins = min(
            (_margins(learning, budget) for budget in _budgets(most, len(learning))),
            key=lambda margins: _mean_rows(learning, margins, full),
        )
        if _disagreements(testing, margins) > allowed:
            break
        proven = margins
    return proven


def _margins(candidates: Sequence[_Candidate], budget: Sequence[int]) -> list[float | None]:
    """The smallest margin for each round that lets it be wrong as often as `budget` allows; None where it would end
    no vote.
    """
    open_votes = np.ones(len(candidates[0].leads), bool) if candidates else np.ones(0, bool)
    margins: list[float | None] = []
    for candidate, most in zip(candidates, budget, strict=True):
        leads = candidate.leads[open_votes]
        order = np.argsort(-leads, kind="stable")
        too_many = np.flatnonzero(candidate.wrong[open_votes][order].cumsum() > most)
        ended = leads > leads[order[too_many[0]]] if len(too_many) else np.ones(len(leads), bool)
        margins.append(float(leads[ended].min()) if ended.any() else None)
        open_votes[np.flatnonzero(open_votes)[ended]] = False
    return margins


def _disagreements(candidates: Sequence[_Candidate], margins: Sequence[float | None]) -> int:
    """Pictures of which a round ends the vote with another winner than the full vote's."""
    if not candidates:
        return 0
    wrong = np.zeros(len(candidates[0].leads), bool)
    for candidate, margin in reversed(list(zip(candidates, margins, strict=True))):
        if margin is not None:
            ended = candidate.leads >= margin
            wrong[ended] = candidate.wrong[ended]
    return int(wrong.sum())


def _mean_rows(candidates: Sequence[_Candidate], margins: Sequence[float | None], full: int) -> float:
    if not candidates:
        return full
    rows = np.full(len(candidates[0].leads), full)
    for candidate, margin in reversed(list(zip(candidates, margins, strict=True))):
        if margin is not None:
            rows[candidate.leads >= margin] = candidate.members * candidate.views
    return float(rows.mean())
