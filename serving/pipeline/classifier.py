"""One request, top to bottom: bytes, picture, views, members' queues, scores, vote."""

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving import tracing
from serving.errors import EngineFailed, InvalidRequest
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble
from serving.models.repository import Repository
from serving.pipeline.answer import Answer, RowAnswers, Seconds
from serving.pipeline.brownout import stepped_down
from serving.pipeline.cache import Decision, DecisionCache, Question
from serving.pipeline.choices import Choices, choices_of
from serving.pipeline.decoding import Decoding
from serving.pipeline.picture import Limits
from serving.pipeline.plans import CROPS, PLANS
from serving.pipeline.poll import Poll, Terms, poll, poll_adaptively
from serving.pipeline.preparation import Preparation, bytes_of_rows
from serving.pipeline.room import Bounds, Room
from serving.pipeline.voting import agreement, each_verdict, mean_logits, vote

log = logging.getLogger(__name__)

_WAY_BACK, _LONGEST_WAY_BACK = 0.1, 0.05
"""Of the time to a deadline, what is left for the vote and the way to the caller; in seconds, at most that."""


class Classifier:
    """Answers requests from the models of a repository."""

    def __init__(
        self,
        repository: Repository,
        limits: Limits,
        metrics: Metrics,
        clock: Callable[[], float],
        decoding_threads: int,
        bounds: Bounds = Bounds(),  # noqa: B008, it is frozen
        cache_bytes: int = 0,
    ) -> None:
        """`decoding_threads` decode large pictures; what is in flight stays within `bounds`. Decisions are kept in
        `cache_bytes` of memory.
        """
        self._repository = repository
        self._metrics = metrics
        self._clock = clock
        self._cache = DecisionCache(cache_bytes, metrics)
        self.memory = Room(bounds.bytes, "bytes of pictures, rows and tensors")
        """What requests hold: here, and where versions are asked for tensors."""
        self._decoding = Decoding(decoding_threads, bounds.pixels)
        self._preparation = Preparation(limits, self._decoding, metrics, clock)

    async def classify(self, request: pb.ClassifyRequest, deadline: float) -> Answer:
        """Answers `request` before `deadline`, a moment on the classifier's clock; infinity for none.

        Raises the errors of serving.errors.
        """
        arrived = self._clock()
        with self._repository.hold(request.model) as ensemble:
            return await self._answer(request, ensemble, arrived, deadline)

    async def _answer(self, request: pb.ClassifyRequest, ensemble: Ensemble, arrived: float, deadline: float) -> Answer:
        """What `ensemble` says; its members stay loaded meanwhile."""
        choices = choices_of(request, ensemble.vote, len(ensemble.labels))
        if choices.views == pb.VIEWS_DENSE:
            ensemble = ensemble.dense
        question = Question(request, ensemble, choices.views, choices.rule)
        if known := self._cache.find(question):
            return self._answer_again(ensemble, choices, known)
        terms = _terms(deadline, choices, arrived)
        views = self._views(ensemble, choices, terms)
        _check_time(ensemble, views, choices, terms)

        memory = request.ByteSize() + bytes_of_rows(ensemble, views, choices.boxes)
        with self.memory.held(ensemble.name, memory):
            rows = await self._preparation.rows(request, ensemble, views, choices.boxes)
            queued = self._clock()
            polled = await self._poll(ensemble, rows, views, choices, terms)
        scored = self._clock()
        verdict = vote(polled.logits, choices.rule, polled.weights)
        agreed = agreement(polled.logits, choices.rule, polled.weights, verdict.ranking[0])
        self._cache.keep(question, Decision(polled.logits, verdict, agreed))
        seconds = Seconds(queued - arrived, polled.started - queued, scored - polled.started)
        answer = Answer(ensemble, views, choices, polled, verdict, agreed, seconds)
        now = self._clock()
        self._metrics.decided(seconds.queue, seconds.compute, now - scored)
        tracing.stages(now, queue=(queued, polled.started), compute=(polled.started, scored), vote=(scored, now))
        self._metrics.answered(ensemble.name, answer.label)
        return answer

    async def classify_rows(self, request: pb.ClassifyRequest, rows: NDArray[np.uint8], deadline: float) -> RowAnswers:
        """Answers rows that the caller has cut, uint8 [N, height, width, channels], each alone, by the model, vote and
        priority of `request`. Raises the errors of serving.errors; InvalidRequest where a member takes other rows.
        """
        arrived = self._clock()
        with self._repository.hold(request.model) as ensemble, self.memory.held(ensemble.name, rows.nbytes):
            choices = choices_of(request, ensemble.vote, len(ensemble.labels))
            _check_rows(ensemble, rows)
            of_members = [rows] * len(ensemble.members)
            polled = await self._poll(ensemble, of_members, choices.views, choices, _terms(deadline, choices, arrived))
        scored = self._clock()
        verdict = each_verdict(polled.logits, choices.rule, polled.weights)
        logits = mean_logits(polled.logits.swapaxes(0, 1)[:, :, None], polled.weights)
        seconds = Seconds(0.0, polled.started - arrived, scored - polled.started)
        self._metrics.decided(seconds.queue, seconds.compute, self._clock() - scored)
        for winner in verdict.ranking[:, 0].tolist():
            self._metrics.answered(ensemble.name, ensemble.labels[winner])
        return RowAnswers(ensemble, logits, verdict, seconds)

    def _answer_again(self, ensemble: Ensemble, choices: Choices, known: Decision) -> Answer:
        """What a decision that was made in full means to who asks again."""
        logits, verdict, agreed = known
        polled = Poll(ensemble.members, (), range(logits.shape[1]), logits, rows=0, started=0.0)
        answer = Answer(ensemble, choices.views, choices, polled, verdict, agreed, Seconds(0.0, 0.0, 0.0), cached=True)
        self._metrics.answered(ensemble.name, answer.label)
        return answer

    def _views(self, ensemble: Ensemble, choices: Choices, terms: Terms) -> pb.Views:
        """Those that were asked for; fewer where the caller would rather have that than wait or be refused."""
        if choices.min_views == choices.views:
            return choices.views

        def has_time_for(rows: int) -> bool:
            servables = (member.servable for member in ensemble.members)
            return all(servable.has_time_for(rows, terms.deadline, terms.priority) for servable in servables)

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

    def close(self) -> None:
        """Gives the decoding threads back."""
        self._decoding.close()


def _terms(deadline: float, choices: Choices, arrived: float) -> Terms:
    """So that there is time left for the vote and the way back."""
    way_back = min(_WAY_BACK * (deadline - arrived), _LONGEST_WAY_BACK)
    return Terms(deadline - way_back, choices.priority, arrived)


def _check_rows(ensemble: Ensemble, rows: NDArray[np.uint8]) -> None:
    for member in ensemble.members:
        taken = member.servable.card.input
        shape = (taken.height, taken.width, taken.channels)
        if rows.shape[1:] != shape:
            raise InvalidRequest(
                f"Rows for {member.servable.name!r} have the shape {['N', *shape]}; {list(rows.shape)} came. "
                "Cut them so, or send whole pictures."
            )


def _check_time(ensemble: Ensemble, views: pb.Views, choices: Choices, terms: Terms) -> None:
    """Raises Overloaded where a member would refuse the rows of a picture that need not be decoded then. A vote that
    may do without a member, or without most rows, is not asked.
    """
    if ensemble.quorum or choices.adaptive:
        return
    rows = len(choices.boxes) or len(PLANS[views])
    for member in ensemble.members:
        member.servable.check(rows, *terms)
