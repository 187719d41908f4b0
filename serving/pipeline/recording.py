"""Who is told of every call as its caller made it, whatever its protocol, and of what came of it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving.errors import DeadlinePassed
from serving.pipeline.answer import Answer, RowAnswers
from serving.pipeline.surface import Pipeline


class Recorder(Protocol):
    """Told once a call, on the event loop; neither raises nor blocks."""

    def answered(self, request: pb.ClassifyRequest, answer: Answer, seconds: float) -> None:
        """`request` got `answer` so many seconds after it arrived."""

    def failed(self, request: pb.ClassifyRequest, error: BaseException, seconds: float) -> None:
        """`request` got none, because of `error`: CancelledError where its caller has gone."""


class RecordedPipeline:
    """Around all else of a pipeline, so that a call to a canary is recorded as its caller made it, and what a shadow
    is asked is not. Rows that callers have cut are no pictures, and not recorded.
    """

    def __init__(self, pipeline: Pipeline, recorder: Recorder, clock: Callable[[], float]) -> None:
        self._pipeline = pipeline
        self._recorder = recorder
        self._clock = clock

    async def classify(self, request: pb.ClassifyRequest, deadline: float) -> Answer:
        """See Classifier.classify."""
        arrived = self._clock()
        try:
            answer = await self._pipeline.classify(request, deadline)
        except Exception as error:
            self._recorder.failed(request, error, self._clock() - arrived)
            raise
        except asyncio.CancelledError as error:
            ended = self._clock()
            # At the deadline doors cancel a call too.
            late = DeadlinePassed("The deadline passed before the answer was there.") if ended >= deadline else error
            self._recorder.failed(request, late, ended - arrived)
            raise
        self._recorder.answered(request, answer, self._clock() - arrived)
        return answer

    async def classify_rows(self, request: pb.ClassifyRequest, rows: NDArray[np.uint8], deadline: float) -> RowAnswers:
        """See Classifier.classify_rows."""
        return await self._pipeline.classify_rows(request, rows, deadline)

    def close(self) -> None:
        """See Classifier.close."""
        self._pipeline.close()
