"""What a request leaves to choose, filled in and held against what there is. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from protos import classification_pb2 as pb
from serving.errors import InvalidRequest
from serving.models.batching.turns import SHARES
from serving.pipeline import boxes as listed
from serving.pipeline.plans import CHOICES, CROPS

DEFAULT_TOP_K = 5

_VOTES = frozenset(pb.Vote.values()) - {pb.VOTE_UNSPECIFIED}


class Choices(NamedTuple):
    """How one picture is classified."""

    views: pb.Views
    min_views: pb.Views
    """As far as views may be stepped down; `views` where they may not."""
    boxes: Sequence[pb.Box]
    rule: pb.Vote
    top_k: int
    priority: pb.Priority
    adaptive: bool
    min_confidence: float


def choices_of(request: pb.ClassifyRequest, default_vote: pb.Vote, classes: int) -> Choices:
    """The choices of `request`, to a model of so many classes. Raises InvalidRequest where one is none of those that
    there are.
    """
    views = request.views or pb.VIEWS_SINGLE
    if views not in CHOICES:
        known = ", ".join(map(pb.Views.Name, CHOICES))
        raise InvalidRequest(f"Views are one of {known}; number {views} came.")
    listed.check(views, request.boxes)
    rule = request.vote or default_vote
    if rule not in _VOTES:
        raise InvalidRequest(f"A vote is one of {', '.join(map(pb.Vote.Name, _VOTES))}; number {rule} came.")
    if not 0 <= request.min_confidence <= 1:
        raise InvalidRequest(
            f"min_confidence is a probability, from 0 to 1; {request.min_confidence} came. Leave it out to get the "
            "winner whatever its probability."
        )
    priority = request.priority or pb.PRIORITY_INTERACTIVE
    if priority not in SHARES:
        known = ", ".join(map(pb.Priority.Name, SHARES))
        raise InvalidRequest(f"A priority is one of {known}; number {priority} came.")
    return Choices(
        views,
        _min_views(request, views),
        request.boxes,
        rule,
        _top_k(request, classes),
        priority,
        request.adaptive,
        request.min_confidence,
    )


def _min_views(request: pb.ClassifyRequest, views: pb.Views) -> pb.Views:
    fewest = request.min_views or views
    if fewest != views and not (views in CROPS and fewest in CROPS and len(CROPS[fewest]) <= len(CROPS[views])):
        known = ", ".join(map(pb.Views.Name, CROPS))
        raise InvalidRequest(
            f"min_views are one of {known}, no more of them than views; number {fewest} came with number {views}. "
            "Leave it out to get all views or none."
        )
    return fewest


def _top_k(request: pb.ClassifyRequest, classes: int) -> int:
    top_k = request.top_k if request.HasField("top_k") else min(DEFAULT_TOP_K, classes)
    if not 1 <= top_k <= classes:
        raise InvalidRequest(
            f"top_k is from 1 to the model's {classes} classes; {top_k} came. Leave it out to get {DEFAULT_TOP_K}."
        )
    return top_k
