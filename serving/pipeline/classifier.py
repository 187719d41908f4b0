"""One request, top to bottom: bytes, picture, views, members' queues, scores, vote."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import ModelCard
from serving.errors import EngineFailed
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble
from serving.models.repository import Repository
from serving.pipeline import boxes as listed
from serving.pipeline import dense
from serving.pipeline import picture as pictures
from serving.pipeline import views as geometry
from serving.pipeline.brownout import stepped_down
from serving.pipeline.cache import Decision, DecisionCache, Question
from serving.pipeline.choices import Choices, choices_of
from serving.pipeline.decoding import Bounds, Decoding
from serving.pipeline.plans import CROPS
from serving.pipeline.poll import Poll, Terms, poll, poll_adaptively
from serving.pipeline.voting import Agreement, Verdict, agreement, vote

# Up to this, decoding and cutting cost less than handing them to another thread and back. In bytes of rows; to
# decode a pixel costs about as much as to cut four.
_INLINE_WORK = 2**16
_WORK_OF_A_PIXEL = 4

log = logging.getLogger(__name__)


class Seconds(NamedTuple):
    """Where the time of one answer went."""

    decode: float
    """From the request's arrival to the rows of its views."""
    queue: float
    """From there to the start of the last batch needed."""
    compute: float
    """From there to the last member's scores."""


_AT_ONCE = Seconds(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Answer:
    """What a classifier says of one picture."""

    ensemble: Ensemble
    views: pb.Views
    """What was looked at: under pressure, less than was chosen."""
    choices: Choices
    verdict: Verdict
    agreement: Agreement
    abstained: str
    """Why the answer names no label; empty where it names the winner's."""
    polled: Poll
    seconds: Seconds
    """All 0 where the answer is cached."""
    cached: bool
    """Whether the vote was held before, over the same picture and question."""


class Classifier:
    """Answers requests from the models of a repository."""

    def __init__(
        self,
        repository: Repository,
        limits: pictures.Limits,
        metrics: Metrics,
        clock: Callable[[], float],
        decoding_threads: int,
        in_decoding: Bounds = Bounds(),  # noqa: B008, it is frozen
        cache_bytes: int = 0,
    ) -> None:
        """Large pictures within `in_decoding` are decoded or wait for one of the `decoding_threads`.
        Decisions are kept in `cache_bytes` of memory.
        """
        self._repository = repository
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._cache = DecisionCache(cache_bytes, metrics)
        self._decoding = Decoding(decoding_threads, in_decoding)

    async def classify(self, request: pb.ClassifyRequest, deadline: float) -> Answer:
        """Answers `request` before `deadline`, a moment on the classifier's clock; infinity for none.

        Raises the errors of serving.errors.
        """
        arrived = self._clock()
        ensemble = self._repository.find(request.model)
        choices = choices_of(request, ensemble.vote, len(ensemble.labels))
        if choices.views == pb.VIEWS_DENSE:
            ensemble = ensemble.dense
        question = Question(request, ensemble, choices.views, choices.rule)
        if known := self._cache.find(question):
            return self._answer_again(ensemble, choices, known)
        views = self._views(ensemble, choices, deadline)

        rows = await self._rows(request, ensemble, views, choices.boxes)

        queued = self._clock()
        polled = await self._poll(ensemble, rows, views, choices, Terms(deadline, choices.priority, arrived))
        scored = self._clock()
        verdict = vote(polled.logits, choices.rule, polled.weights)
        agreed = agreement(polled.logits, choices.rule, polled.weights, verdict.ranking[0])
        seconds = Seconds(queued - arrived, polled.started - queued, scored - polled.started)
        self._metrics.decided(seconds.queue, seconds.compute, self._clock() - scored)
        decision = Decision(polled.logits, verdict, agreed)
        self._cache.keep(question, decision)
        return self._answer(ensemble, views, choices, decision, polled, seconds)

    def _answer_again(self, ensemble: Ensemble, choices: Choices, known: Decision) -> Answer:
        """What a decision that was made in full means to who asks again."""
        polled = Poll(ensemble.members, (), range(known.logits.shape[1]), known.logits, rows=0, started=0.0)
        return self._answer(ensemble, choices.views, choices, known, polled, _AT_ONCE, cached=True)

    def _answer(
        self,
        ensemble: Ensemble,
        views: pb.Views,
        choices: Choices,
        decision: Decision,
        polled: Poll,
        seconds: Seconds,
        cached: bool = False,
    ) -> Answer:
        """What a vote means to who asked; counted."""
        _, verdict, agreed = decision
        abstained = _abstention(verdict, choices.min_confidence)
        self._metrics.answered(ensemble.name, "" if abstained else ensemble.labels[verdict.ranking[0]])
        return Answer(ensemble, views, choices, verdict, agreed, abstained, polled, seconds, cached)

    def _views(self, ensemble: Ensemble, choices: Choices, deadline: float) -> pb.Views:
        """Those that were asked for; fewer where the caller would rather have that than wait or be refused."""
        if choices.min_views == choices.views:
            return choices.views

        def has_time_for(rows: int) -> bool:
            servables = (member.servable for member in ensemble.members)
            return all(servable.has_time_for(rows, deadline, choices.priority) for servable in servables)

        views = stepped_down(choices.views, choices.min_views, has_time_for)
        if views != choices.views:
            self._metrics.stepped_down.labels(ensemble.name, len(CROPS[views])).inc()
        return views

    async def _poll(
        self, ensemble: Ensemble, rows: list[NDArray[np.uint8]], views: pb.Views, choices: Choices, terms: Terms
    ) -> Poll:
        """What the members say; of a vote that may end early, until it is decided."""
        adaptive = ensemble.adaptive_vote(views, choices.rule) if choices.adaptive else None
        if adaptive and not any(member.servable.ails for member in ensemble.members):
            try:
                return await poll_adaptively(ensemble, rows, terms, adaptive)
            except EngineFailed:
                if not ensemble.quorum:
                    raise
                log.exception("an adaptive vote of %s is held in full", ensemble.name)
        polled = await poll(ensemble, rows, terms, self._clock())
        for member, reason in polled.absent:
            self._metrics.absent_members.labels(ensemble.name, member.servable.name, reason).inc()
        return polled

    async def _rows(
        self, request: pb.ClassifyRequest, ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]
    ) -> list[NDArray[np.uint8]]:
        """The rows of each member, from the picture of `request`. Only they outlive this: decoded pictures are large,
        and calls may wait long.
        """
        picture = _open(request, self._limits, views)
        cut = partial(self._cut, picture, ensemble, views, boxes)
        if _work(picture, ensemble, views, boxes) <= _INLINE_WORK:
            return cut()
        pixels, bytes = picture.width * picture.height, len(request.encoded) + len(request.tensor.content)
        return await self._decoding.run(ensemble.name, pixels, bytes, cut)

    def _cut(
        self, picture: Image.Image, ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]
    ) -> list[NDArray[np.uint8]]:
        """The rows of each member; members that look at pictures the same way share theirs."""
        opened = self._clock()
        if views != pb.VIEWS_BOXES:  # whose pixels are counted in the picture's own
            cards = [member.servable.card for member in ensemble.members]
            pictures.shrink(picture, max(geometry.enough(card.input, card.geometry, views) for card in cards))
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
        self._decoding.close()


def _work(picture: Image.Image, ensemble: Ensemble, views: pb.Views, boxes: Sequence[pb.Box]) -> int:
    """What it costs to decode `picture` and cut it for every member, in units of _INLINE_WORK."""
    looks = {member.servable.look: member.servable.card for member in ensemble.members}
    rows = sum(geometry.bytes_of_rows(card.input, card.geometry, views, len(boxes)) for card in looks.values())
    return _WORK_OF_A_PIXEL * picture.width * picture.height * max(1, len(boxes)) + rows


def _seen(upright: Image.Image, card: ModelCard, views: pb.Views, boxes: Sequence[pb.Box]) -> NDArray[np.uint8]:
    """uint8 [views, height, width, channels] of one picture, for the network of `card`."""
    if views == pb.VIEWS_DENSE:
        return dense.canvases(upright, card.input, card.geometry)
    if views == pb.VIEWS_BOXES:
        return listed.cut(upright, card.input, boxes)
    return geometry.cut(upright, card.input, card.geometry, views)


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
