"""Around a classifier: calls that name no version, shared out between the stable version, a canary and a shadow."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving.metrics import Metrics
from serving.pipeline.answer import Answer, RowAnswers
from serving.pipeline.router import Router, Way
from serving.pipeline.shadow import Ask, Shadow
from serving.pipeline.surface import Pipeline


class RoutedPipeline:
    """Asks the versions that a router says, and shadows once their callers are answered."""

    def __init__(self, pipeline: Pipeline, router: Router, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._pipeline = pipeline
        self._router = router
        self._shadow = Shadow(metrics, clock)

    async def classify(self, request: pb.ClassifyRequest, deadline: float) -> Answer:
        """See Classifier.classify. A call that names a version, a label or an ensemble is answered by that."""
        way = self._router.way(request.model, request.routing_key)

        async def ask(spec: pb.ModelSpec) -> Answer:
            return await self._pipeline.classify(_sent(request, spec), deadline)

        answer = await self._router.answered(way, deadline, ask)

        async def of_shadow(version: int, deadline: float) -> Sequence[str]:
            copy = _copy(request, answer.ensemble.name, version)
            copy.views = answer.views
            return _winner(await self._pipeline.classify(copy, deadline))

        self._ask_shadow(way, of_shadow, _winner(answer))
        return answer

    async def classify_rows(self, request: pb.ClassifyRequest, rows: NDArray[np.uint8], deadline: float) -> RowAnswers:
        """See Classifier.classify_rows. All rows of a call go one way."""
        way = self._router.way(request.model, request.routing_key)

        async def ask(spec: pb.ModelSpec) -> RowAnswers:
            return await self._pipeline.classify_rows(_sent(request, spec), rows, deadline)

        answers = await self._router.answered(way, deadline, ask)

        async def of_shadow(version: int, deadline: float) -> Sequence[str]:
            copy = _copy(request, answers.ensemble.name, version)
            return _winners(await self._pipeline.classify_rows(copy, rows, deadline))

        self._ask_shadow(way, of_shadow, _winners(answers))
        return answers

    def close(self) -> None:
        """Ends what shadows are asked, and see Classifier.close."""
        self._shadow.close()
        self._pipeline.close()

    def _ask_shadow(self, way: Way, ask: Ask, winners: Sequence[str]) -> None:
        version = self._router.shadowing(way)
        if way.model and version is not None:
            self._shadow.ask_too(way.model.name, version, ask, winners, self._router.compared(way))


def _sent(request: pb.ClassifyRequest, spec: pb.ModelSpec) -> pb.ClassifyRequest:
    """`request`, to whom `spec` names."""
    if spec == request.model:
        return request
    sent = pb.ClassifyRequest()
    sent.CopyFrom(request)
    sent.model.CopyFrom(spec)
    return sent


def _copy(request: pb.ClassifyRequest, model: str, version: int) -> pb.ClassifyRequest:
    """What the caller asked, of another version, and at bulk priority."""
    copy = pb.ClassifyRequest()
    copy.CopyFrom(request)
    copy.model.name, copy.model.version = model, version
    copy.priority = pb.PRIORITY_BULK
    copy.ClearField("min_views")
    copy.ClearField("top_k")
    return copy


def _winner(answer: Answer) -> Sequence[str]:
    """By name, whatever its probability: versions may have their labels in other orders."""
    return [answer.ensemble.labels[answer.verdict.ranking[0]]]


def _winners(answers: RowAnswers) -> Sequence[str]:
    """The same of each row."""
    return [answers.ensemble.labels[winner] for winner in answers.verdict.ranking[:, 0].tolist()]
