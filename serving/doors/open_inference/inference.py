"""Answers questions of the Open Inference Protocol, by the pipeline or by a signature, and counts them."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

from serving.doors.open_inference.outcome import Finish, Finished, Outcome
from serving.doors.open_inference.parameters import seconds_of
from serving.doors.open_inference.pictures import Pictures
from serving.doors.open_inference.plain import Plain
from serving.doors.open_inference.question import Question, Reply
from serving.doors.open_inference.statistics import Statistics
from serving.doors.statuses import code_of
from serving.errors import DeadlinePassed
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble
from serving.models.plain import PlainVersion
from serving.models.repository import Repository
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router
from serving.pipeline.surface import Pipeline

Written = TypeVar("Written")


class Inference:
    """Answers and counts."""

    def __init__(
        self,
        classifier: Pipeline,
        router: Router,
        predictor: Predictor,
        repository: Repository,
        metrics: Metrics,
        statistics: Statistics,
        clock: Callable[[], float],
        window: int,
    ) -> None:
        """`window` is how many pictures of one request are worked on at a time."""
        self._pictures = Pictures(classifier, repository, clock, window)
        self._plain = Plain(router, predictor, repository, clock)
        self._repository = repository
        self._metrics = metrics
        self._statistics = statistics
        self._clock = clock

    async def answer(
        self,
        method: str,
        read: Callable[[], Awaitable[Question]],
        write: Callable[[Reply], Awaitable[Written]],
        deadline: float,
    ) -> Written:
        """What `write` makes of the answer to what `read` gives, before `deadline` on the clock; counted under
        `method`, failures too.

        Raises the errors of serving.errors, and what `read` and `write` do.
        """
        arrived = self._clock()
        model, views, code = "", "0", grpc.StatusCode.CANCELLED
        try:
            question = await read()
            found = self._repository.find_any(question.model)
            model = found.name
            with self._statistics.counting(model, "" if isinstance(found, Ensemble) else str(found.version)) as count:

                async def finish(outcome: Outcome) -> tuple[Outcome, Written]:
                    return outcome, await write(Reply(model, outcome.version, question.id, outcome.tensors))

                who = self._plain if isinstance(found, PlainVersion) else self._pictures
                outcome, written = await self._within(who, question, deadline, arrived, finish)
                count(outcome)
            views, code = outcome.views, grpc.StatusCode.OK
            return written
        except Exception as error:
            self._metrics.rejections.labels(type(error).__name__).inc()
            code = code_of(error)
            raise
        finally:
            if code is grpc.StatusCode.CANCELLED and self._clock() >= deadline:
                code = grpc.StatusCode.DEADLINE_EXCEEDED  # for which gRPC cancels as well
            self._metrics.request_duration.labels(method, model, views, code.name).observe(self._clock() - arrived)

    async def _within(
        self, who: Plain | Pictures, question: Question, deadline: float, arrived: float, finish: Finish[Finished]
    ) -> Finished:
        """What `who` answers, finished before the deadline and within the seconds that the question allows."""
        seconds = seconds_of(question.parameters)
        work = who.answer(question, min(deadline, arrived + seconds), finish)
        try:
            return await asyncio.wait_for(work, None if math.isinf(seconds) else seconds)
        except asyncio.TimeoutError:
            raise DeadlinePassed(
                f"An answer is to be had within {seconds:g} s; that passed before it was there. Allow more time."
            ) from None
