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
    probabilities = _probabilities(logits, rule, weights)
    if rule != pb.VOTE_MAJORITY:
        return _ranked(probabilities)
    # Rounded, so that shares such as 1/3 cannot tell equal counts apart.
    return _ranked(probabilities.round(9), then_by=_mean(softmax(logits), weights))


def each_verdict(logits: NDArray[np.float32], rule: pb.Vote, weights: Sequence[float]) -> Verdict:
    """What `vote` would decide if each view were the only one: both of [views, classes]."""
    return vote(logits.swapaxes(0, 1)[:, :, None], rule, weights)


def mean_logits(logits: NDArray[np.float32], weights: Sequence[float]) -> NDArray[np.float32]:
    """Over views evenly, over members by weight: float32 [..., members, views, classes] -> [..., classes]."""
    return _mean(logits, weights).astype(np.float32)


def each_view(logits: NDArray[np.float32], rule: pb.Vote, weights: Sequence[float]) -> NDArray[np.float32]:
    """The probabilities that `vote` would find if each view were the only one: float32 [views, classes]."""
    return _probabilities(logits.swapaxes(0, 1)[:, :, None], rule, weights).astype(np.float32)


def agreement(logits: NDArray[np.float32], rule: pb.Vote, weights: Sequence[float], winner: int) -> Agreement:
    """With `winner`, what `vote` made of `logits`, `rule` and `weights`."""
    shares = np.add.reduce(logits.argmax(axis=-1) == winner, axis=1) / logits.shape[1]
    alone = [1.0 if len(logits) == 1 else vote(each[None], rule, [1.0]).ranking[0] == winner for each in logits]
    whole = math.fsum(weights)
    return Agreement(float(np.dot(weights, shares) / whole), float(np.dot(weights, alone) / whole))


def _probabilities(logits: NDArray[np.float32], rule: pb.Vote, weights: Sequence[float]) -> NDArray:
    """[..., members, views, classes] -> [..., classes]."""
    if rule == pb.VOTE_MEAN_LOGIT:
        return softmax(_mean(logits, weights))
    if rule == pb.VOTE_MEAN_PROBABILITY:
        return _mean(softmax(logits), weights)
    if rule == pb.VOTE_MAJORITY:
        return _mean(np.eye(logits.shape[-1])[logits.argmax(axis=-1)], weights)
    raise ValueError(f"A vote is one of {pb.Vote.keys()[1:]}; {rule!r} came.")


def _mean(scores: NDArray, weights: Sequence[float]) -> NDArray[np.float64]:
    """Over views evenly, over members by weight: [..., members, views, classes] -> [..., classes]."""
    return np.matmul(weights, np.add.reduce(scores, axis=-2)) / (math.fsum(weights) * scores.shape[-2])


def _ranked(probabilities: NDArray, then_by: NDArray | None = None) -> Verdict:
    ranking = np.lexsort((-probabilities,) if then_by is None else (-then_by, -probabilities))
    return Verdict(probabilities.astype(np.float32), ranking)
