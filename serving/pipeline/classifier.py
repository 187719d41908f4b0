"""One request, top to bottom: bytes, picture, views, members' queues, scores, vote."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import ModelCard
from serving.errors import InvalidRequest, Overloaded
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble
from serving.models.repository import Repository
from serving.pipeline import boxes as listed
from serving.pipeline import dense
from serving.pipeline import picture as pictures
from serving.pipeline import views as geometry
from serving.pipeline.plans import CHOICES
from serving.pipeline.voting import Agreement, Verdict, agreement, vote

DEFAULT_TOP_K = 5

# Below this, decoding costs less than handing it to another thread and back.
_INLINE_PIXELS = 128 * 128

_VOTES = frozenset(pb.Vote.values()) - {pb.VOTE_UNSPECIFIED}


class Seconds(NamedTuple):
    """Where the time of one answer went."""

    decode: float
    """From the request's arrival to the rows of its views."""
    queue: float
    """From there to the start of the last batch needed."""
    compute: float
    """From there to the last member's scores."""


@dataclass(frozen=True)
class Answer:
    """What a classifier says of one picture."""

    ensemble: Ensemble
    views: pb.Views
    rule: pb.Vote
    top_k: int
    verdict: Verdict
    agreement: Agreement
    abstained: str
    """Why the answer names no label; empty where it names the winner's."""
    logits: NDArray[np.float32]
    """float32 [members, views, classes], after each member's temperature."""
    seconds: Seconds


class Classifier:
    """Answers requests from the models of a repository."""

    def __init__(
        self,
        repository: Repository,
        limits: pictures.Limits,
        metrics: Metrics,
        clock: Callable[[], float],
        decoding_threads: int,
        max_undecoded: int = 128,
    ) -> None:
        """At most `max_undecoded` large pictures are decoded or wait for one of the `decoding_threads`."""
        self._repository = repository
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._undecoded = 0
        self._max_undecoded = max_undecoded
        self._decoding = ThreadPoolExecutor(decoding_threads, thread_name_prefix="decode")

    async def classify(self, request: pb.ClassifyRequest, deadline: float) -> Answer:
        """Answers `request` before `deadline`, a moment on the classifier's clock; infinity for none.

        Raises the errors of serving.errors.
        """
        arrived = self._clock()
        ensemble = self._repository.find(request.model)
        views = request.views or pb.VIEWS_SINGLE
        rule = request.vote or ensemble.vote
        top_k = _check_choices(request, views, rule, len(ensemble.labels))
        if views == pb.VIEWS_DENSE:
            ensemble = ensemble.dense

        rows = await self._rows(_open(request, self._limits, views), ensemble, views, request.boxes)

        queued = self._clock()
        logits, started = await _scores(ensemble, rows, deadline)
        scored = self._clock()
        verdict = vote(logits, rule, ensemble.weights)
        agreed = agreement(logits, rule, ensemble.weights, verdict.ranking[0])
        abstained = _abstention(verdict, request.min_confidence)
        seconds = Seconds(queued - arrived, started - queued, scored - started)
        label = "" if abstained else ensemble.labels[verdict.ranking[0]]
        self._metrics.answered(ensemble.name, label, seconds.queue, seconds.compute, self._clock() - scored)
        return Answer(ensemble, views, rule, top_k, verdict, agreed, abstained, logits, seconds)

    async def _rows(
        self, picture: Image.Image, ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]
    ) -> list[NDArray[np.uint8]]:
        """The rows of each member, from a picture whose header was read. Only the rows outlive this: decoded
        pictures are large, and calls may wait long.
        """
        if picture.width * picture.height * max(1, len(boxes)) <= _INLINE_PIXELS:
            return self._cut(picture, ensemble, views, boxes)
        if self._undecoded >= self._max_undecoded:
            raise Overloaded(
                f"At most {self._max_undecoded} large pictures may wait to be decoded, and so many do. "
                "Try again shortly."
            )
        self._undecoded += 1
        try:
            in_thread = asyncio.get_running_loop().run_in_executor
            return await in_thread(self._decoding, self._cut, picture, ensemble, views, boxes)
        finally:
            self._undecoded -= 1

    def _cut(
        self, picture: Image.Image, ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]
    ) -> list[NDArray[np.uint8]]:
        """The rows of each member; members that look at pictures the same way share theirs."""
        opened = self._clock()
        upright = pictures.decode(picture)
        decoded = self._clock()
        cut: dict[bytes, NDArray[np.uint8]] = {}
        rows = []
        for member in ensemble.members:
            look, card = member.servable.look, member.servable.card
            if look not in cut:
                cut[look] = _seen(upright, card, views, boxes)
            rows.append(cut[look])
        self._metrics.prepared(decoded - opened, self._clock() - decoded)
        return rows

    def close(self) -> None:
        """Gives the decoding threads back."""
        self._decoding.shutdown()


def _seen(upright: Image.Image, card: ModelCard, views: pb.Views, boxes: Sequence[pb.Box]) -> NDArray[np.uint8]:
    """uint8 [views, height, width, channels] of one picture, for the network of `card`."""
    if views == pb.VIEWS_DENSE:
        return dense.canvases(upright, card.input, card.geometry)
    if views == pb.VIEWS_BOXES:
        return listed.cut(upright, card.input, boxes)
    return geometry.cut(upright, card.input, card.geometry, views)


async def _scores(
    ensemble: Ensemble, rows: list[NDArray[np.uint8]], deadline: float
) -> tuple[NDArray[np.float32], float]:
    """float32 [members, views, classes] and when the last batch needed was started. Members run concurrently."""
    futures = []
    try:
        for member, member_rows in zip(ensemble.members, rows, strict=True):
            futures.append(member.servable.submit(member_rows, deadline))
        scored = [await futures[0]] if len(futures) == 1 else await asyncio.gather(*futures)
    finally:
        for future in futures:
            future.cancel()  # does nothing to those that are done, and withdraws the rows of the others
    logits = [
        scores.logits / np.float32(member.servable.card.temperature)
        for scores, member in zip(scored, ensemble.members, strict=True)
    ]
    return np.array(logits), max(scores.started for scores in scored)


def _check_choices(request: pb.ClassifyRequest, views: pb.Views, rule: pb.Vote, classes: int) -> int:
    """The number of predictions to return. Raises InvalidRequest where a choice is none of those there are."""
    if views not in CHOICES:
        known = ", ".join(map(pb.Views.Name, CHOICES))
        raise InvalidRequest(f"Views are one of {known}; number {views} came.")
    listed.check(views, request.boxes)
    if rule not in _VOTES:
        raise InvalidRequest(f"A vote is one of {', '.join(map(pb.Vote.Name, _VOTES))}; number {rule} came.")
    if not 0 <= request.min_confidence <= 1:
        raise InvalidRequest(
            f"min_confidence is a probability, from 0 to 1; {request.min_confidence} came. Leave it out to get the "
            "winner whatever its probability."
        )
    top_k = request.top_k if request.HasField("top_k") else min(DEFAULT_TOP_K, classes)
    if not 1 <= top_k <= classes:
        raise InvalidRequest(
            f"top_k is from 1 to the model's {classes} classes; {top_k} came. Leave it out to get {DEFAULT_TOP_K}."
        )
    return top_k


def _abstention(verdict: Verdict, min_confidence: float) -> str:
    """Why the answer names no label; empty where it does."""
    confidence = verdict.probabilities[verdict.ranking[0]]
    if confidence >= min_confidence:
        return ""
    return f"The winner's probability is {confidence:.4g}; {min_confidence:.4g} was asked for."


def _open(request: pb.ClassifyRequest, limits: pictures.Limits, views: pb.Views) -> Image.Image:
    """The picture of `request`, within `limits` and those of `views`. Raises InvalidRequest."""
    if request.WhichOneof("picture") == "tensor":
        tensor = request.tensor
        picture = pictures.from_samples(tensor.data_type, tensor.shape, tensor.content, limits)
    else:
        picture = pictures.open_header(request.encoded, limits)
    if views == pb.VIEWS_DENSE:
        dense.check_aspect(picture.size)
    return picture
