"""Asking another version too, after the caller has been answered and for nobody but the metrics."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from protos import classification_pb2 as pb
from serving.errors import DeadlinePassed, Overloaded
from serving.metrics import Metrics
from serving.models.catalogue import ServedModel
from serving.pipeline.answer import Answer

log = logging.getLogger(__name__)

IN_FLIGHT = 8
"""Copies at a time. More are dropped: what is measured is a sample anyway."""
_SECONDS = 10.0
"""A copy that has not been answered for so long is dropped."""


class Shadow:
    """Sends copies of calls to shadows, as bulk, and compares the answers with those that callers got."""

    def __init__(
        self,
        ask: Callable[[pb.ClassifyRequest, float], Awaitable[Answer]],
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        """`ask` answers a request before a moment on the clock."""
        self._ask = ask
        self._metrics = metrics
        self._clock = clock
        self._copies: set[asyncio.Task[None]] = set()

    def ask_too(
        self, model: ServedModel, request: pb.ClassifyRequest, answer: Answer, compared: Callable[[int, bool], None]
    ) -> None:
        """Asks the shadow of `model` what `request` asked, unless it is busy or not ready; returns at once.

        `compared(version, agreed)` is called once it has answered, or failed, which agrees with nothing.
        """
        version = model.shadow.version_among(model.labels) if model.shadow else None
        if version is None or version not in model.servables or version == model.stable_version:
            return
        if len(self._copies) >= IN_FLIGHT:
            self._count(model.name, version, "dropped")
            return
        copy = asyncio.create_task(self._compare(model.name, version, request, answer, compared))
        self._copies.add(copy)
        copy.add_done_callback(self._copies.discard)

    def close(self) -> None:
        """Ends all copies."""
        for copy in self._copies:
            copy.cancel()

    async def _compare(
        self,
        model: str,
        version: int,
        request: pb.ClassifyRequest,
        answer: Answer,
        compared: Callable[[int, bool], None],
    ) -> None:
        began, outcome = self._clock(), "failed"
        try:
            given = await self._ask(_copy(request, model, version, answer.views), began + _SECONDS)
            outcome = "agreed" if _winner(given) == _winner(answer) else "disagreed"
        except (Overloaded, DeadlinePassed):
            outcome = "dropped"  # bulk calls are the first for whom there is no time, whatever the version
        except Exception as error:
            log.warning("%s version %s failed as a shadow: %s: %s", model, version, type(error).__name__, error)
        self._count(model, version, outcome)
        if outcome == "dropped":
            return
        answered = "failed" if outcome == "failed" else "answered"
        self._metrics.canary_duration.labels(model, version, "shadow", answered).observe(self._clock() - began)
        compared(version, outcome == "agreed")

    def _count(self, model: str, version: int, outcome: str) -> None:
        self._metrics.canary_copies.labels(model, version, outcome).inc()


def _copy(request: pb.ClassifyRequest, model: str, version: int, views: pb.Views) -> pb.ClassifyRequest:
    """What the caller asked, of another version: the same views that voted, and at bulk priority."""
    copy = pb.ClassifyRequest()
    copy.CopyFrom(request)
    copy.model.name, copy.model.version = model, version
    copy.views, copy.priority = views, pb.PRIORITY_BULK
    copy.ClearField("min_views")
    copy.ClearField("top_k")
    return copy


def _winner(answer: Answer) -> str:
    """By name, whatever its probability: versions may have their labels in other orders."""
    return answer.ensemble.labels[answer.verdict.ranking[0]]
