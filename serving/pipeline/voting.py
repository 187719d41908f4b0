"""How the scores of views and members become one answer. Pure arithmetic."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving.models.card import softmax


class Verdict(NamedTuple):
    """The outcome of a vote over `classes` classes."""

    probabilities: NDArray[np.float32]
    """float32 [classes], adding up to 1."""
    ranking: NDArray[np.intp]
    """Every class id, the winner first; of equals, the lower id first."""


class Agreement(NamedTuple):
    """How far those who voted agree with what won, from 0 to 1."""

    views: float
    """Of all views of all members, by the members' weights, the share whose best class is the winner."""
    members: float
    """By weight, the share of members that would have named the winner alone."""


def vote(logits: NDArray[np.float32], rule: pb.Vote, weights: Sequence[float]) -> Verdict:
    """Decides from the logits of every member and view.

    `logits` is float32 [members, views, classes], each member's divided by its temperature
    already; `weights` has one positive number a member.

    VOTE_MEAN_PROBABILITY is Krizhevsky, Sutskever and Hinton 2012, section 4.1 (views) and
    section 6.1 (networks). VOTE_MAJORITY breaks ties by mean probability.
    """
    if rule == pb.VOTE_MEAN_LOGIT:
        return _ranked(softmax(_mean(logits, weights)))
    mean_probability = _mean(softmax(logits), weights)
    if rule == pb.VOTE_MEAN_PROBABILITY:
        return _ranked(mean_probability)
    if rule == pb.VOTE_MAJORITY:
        ballots = np.eye(logits.shape[-1])[logits.argmax(axis=-1)]
        # Rounded, so that shares such as 1/3 cannot tell equal counts apart.
        return _ranked(_mean(ballots, weights).round(9), then_by=mean_probability)
    raise ValueError(f"A vote is one of {pb.Vote.keys()[1:]}; {rule!r} came.")


def agreement(logits: NDArray[np.float32], rule: pb.Vote, weights: Sequence[float], winner: int) -> Agreement:
    """With `winner`, what `vote` made of `logits`, `rule` and `weights`."""
    shares = np.add.reduce(logits.argmax(axis=-1) == winner, axis=1) / logits.shape[1]
    alone = [1.0 if len(logits) == 1 else vote(each[None], rule, [1.0]).ranking[0] == winner for each in logits]
    whole = math.fsum(weights)
    return Agreement(float(np.dot(weights, shares) / whole), float(np.dot(weights, alone) / whole))


def _mean(scores: NDArray, weights: Sequence[float]) -> NDArray[np.float64]:
    """Over views evenly, over members by weight: [members, views, classes] -> [classes]."""
    return np.dot(weights, np.add.reduce(scores, axis=1)) / (math.fsum(weights) * scores.shape[1])


def _ranked(probabilities: NDArray, then_by: NDArray | None = None) -> Verdict:
    ranking = np.lexsort((-probabilities,) if then_by is None else (-then_by, -probabilities))
    return Verdict(probabilities.astype(np.float32), ranking)
