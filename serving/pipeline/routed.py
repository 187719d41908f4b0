"""Calls that name no version, shared out between the stable version, a canary and a shadow."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from protos import classification_pb2 as pb
from serving.errors import Forbidden, InvalidRequest, NotServed
from serving.metrics import Metrics
from serving.models.repository import Repository
from serving.models.trials.canaries import Canary
from serving.models.trials.evidence import Count
from serving.pipeline.answer import Answer
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from serving.pipeline.room import Bounds
from serving.pipeline.shadow import Shadow


class RoutedClassifier(Classifier):
    """A Classifier that sends calls to versions on trial, and counts how those do beside the stable version."""

    def __init__(
        self,
        repository: Repository,
        limits: Limits,
        metrics: Metrics,
        clock: Callable[[], float],
        decoding_threads: int,
        bounds: Bounds = Bounds(),  # noqa: B008, it is frozen
        cache_bytes: int = 0,
        dice: Callable[[], float] = random.random,
    ) -> None:
        """As Classifier; `dice` gives numbers from 0 to below 1 that are spread evenly."""
        super().__init__(repository, limits, metrics, clock, decoding_threads, bounds, cache_bytes)
        self._dice = dice
        self._trials = repository.trials
        self._trials.tell(metrics)
        self._shadow = Shadow(super().classify, metrics, clock)

    async def classify(self, request: pb.ClassifyRequest, deadline: float) -> Answer:
        """See Classifier.classify. A call that names a version, a label or an ensemble is answered by that."""
        model = self._repository.open_to_choice(request.model)
        if model is None or not (model.canary or model.shadow):
            return await super().classify(request, deadline)
        canary = self._trials.canary_of(model)
        if canary and canary.takes(request.routing_key, self._dice()):
            asked = pb.ClassifyRequest()
            asked.CopyFrom(request)
            asked.model.name, asked.model.version = model.name, canary.version
            with self._watched(model.name, canary.version, "canary", canary, canary.canary, deadline):
                return await super().classify(asked, deadline)
        count = canary.stable if canary else Count()
        with self._watched(model.name, model.stable_version, "stable", canary, count, deadline):
            answer = await super().classify(request, deadline)
        if model.shadow and self._dice() * 100 < model.shadow.percent:
            self._shadow.ask_too(model, request, answer, self._compared(canary))
        return answer

    @contextmanager
    def _watched(
        self, model: str, version: int, arm: str, canary: Canary | None, count: Count, deadline: float
    ) -> Iterator[None]:
        """Counts the call inside the block. What only its caller is to be blamed for is not counted."""
        began, outcome = self._clock(), "failed"
        try:
            yield
            outcome = "answered"
        except (InvalidRequest, NotServed, Forbidden):
            outcome = ""
            raise
        except asyncio.CancelledError:
            if self._clock() < deadline:  # the caller has gone; at the deadline a call is cancelled too, for being late
                outcome = ""
            raise
        finally:
            if outcome:
                self._metrics.canary_duration.labels(model, version, arm, outcome).observe(self._clock() - began)
                count.add(outcome == "failed")
                if canary:
                    self._trials.judge(canary)

    def _compared(self, canary: Canary | None) -> Callable[[int, bool], None]:
        """Counts whether a shadow's version agreed, where that is the canary's too."""

        def compared(version: int, agreed: bool) -> None:
            if canary and canary.version == version:
                canary.pairs.add(not agreed)
                self._trials.judge(canary)

        return compared

    def close(self) -> None:
        """Ends what shadows are asked, and gives the decoding threads back."""
        self._shadow.close()
        super().close()
