"""Answers questions of the Open Inference Protocol by the pipeline: pictures by views and votes, rows as they are."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import grpc
import numpy as np

from protos import classification_pb2 as pb
from serving.doors.open_inference import outputs
from serving.doors.open_inference.models import ENCODED, ROWS, version_of
from serving.doors.open_inference.outputs import Scores
from serving.doors.open_inference.parameters import fields_of, seconds_of
from serving.doors.open_inference.question import Question, Reply
from serving.doors.open_inference.statistics import Statistics
from serving.doors.open_inference.told import told
from serving.doors.statuses import code_of
from serving.errors import DeadlinePassed, InvalidRequest, Unavailable
from serving.metrics import Metrics
from serving.models.repository import Repository
from serving.pipeline.answer import Answer, Seconds
from serving.pipeline.plans import views_label
from serving.pipeline.surface import Pipeline
from serving.pipeline.voting import mean_logits
from serving.routing_keys import one_way


class Outcome(NamedTuple):
    """What the pipeline made of a question."""

    version: str
    """Of the model that answered; empty of an ensemble, and where versions changed between pictures."""
    class_names: Sequence[str]
    views: str
    """As metrics call them."""
    scores: Scores
    seconds: Seconds
    """Of several pictures, the longest of each."""


class Inference:
    """Answers and counts."""

    def __init__(
        self,
        classifier: Pipeline,
        repository: Repository,
        metrics: Metrics,
        statistics: Statistics,
        clock: Callable[[], float],
        window: int,
    ) -> None:
        """`window` is how many pictures of one request are worked on at a time."""
        self._classifier = classifier
        self._repository = repository
        self._metrics = metrics
        self._statistics = statistics
        self._clock = clock
        self._window = window

    async def answer(self, method: str, read: Callable[[], Question], deadline: float) -> Reply:
        """The answer to what `read()` gives, before `deadline` on the clock; counted under `method`, failures too.

        Raises the errors of serving.errors, and what `read` does.
        """
        arrived = self._clock()
        model, views, code = "", "0", grpc.StatusCode.CANCELLED
        try:
            question = read()
            outputs.check(question.outputs)
            ensemble = self._repository.find(question.model)
            model = ensemble.name
            with self._statistics.counting(model, version_of(ensemble, self._repository)) as count:
                outcome = await self._within(question, deadline, arrived)
                scored = self._clock()
                tensors = outputs.tensors(question.outputs, outcome.scores, outcome.class_names)
                count(outcome.version, len(outcome.scores.labels), outcome.seconds, self._clock() - scored)
            views, code = outcome.views, grpc.StatusCode.OK
            return Reply(model, outcome.version, question.id, tensors)
        except Exception as error:
            self._metrics.rejections.labels(type(error).__name__).inc()
            code = code_of(error)
            raise
        finally:
            if code is grpc.StatusCode.CANCELLED and self._clock() >= deadline:
                code = grpc.StatusCode.DEADLINE_EXCEEDED  # for which gRPC cancels as well
            self._metrics.request_duration.labels(method, model, views, code.name).observe(self._clock() - arrived)

    async def _within(self, question: Question, deadline: float, arrived: float) -> Outcome:
        """The outcome, before the deadline and within the seconds that the question allows."""
        seconds = seconds_of(question.parameters)
        work = self._outcome(question, min(deadline, arrived + seconds))
        try:
            return await asyncio.wait_for(work, None if math.isinf(seconds) else seconds)
        except asyncio.TimeoutError:
            raise DeadlinePassed(
                f"An answer is to be had within {seconds:g} s; that passed before it was there. Allow more time."
            ) from None

    async def _outcome(self, question: Question, deadline: float) -> Outcome:
        if question.input.name == ENCODED:
            return self._together(await self._of_pictures(question, deadline))
        if question.input.name == ROWS:
            return await self._of_rows(question, deadline)
        raise InvalidRequest(f"A model has the inputs {ENCODED!r} and {ROWS!r}; {told(question.input.name)} came.")

    async def _of_rows(self, question: Question, deadline: float) -> Outcome:
        rows, fields = question.input.data, fields_of(question.parameters)
        if rows.dtype != np.uint8:
            raise InvalidRequest(f"{ROWS!r} is UINT8 from 0 to 255; {question.input.datatype} came. Scale them back.")
        if others := sorted(set(fields) - {"vote", "priority", "routing_key"}):
            raise InvalidRequest(
                f"Rows are looked at as they are, by vote, priority and routing_key; {', '.join(others)} came. "
                f"Leave it out, or send whole pictures as {ENCODED!r}."
            )
        request = pb.ClassifyRequest(model=question.model, **fields)
        answer = await self._classifier.classify_rows(request, rows, deadline)
        class_names = answer.ensemble.labels
        labels = [class_names[winner] for winner in answer.verdict.ranking[:, 0].tolist()]
        scores = Scores(answer.logits, answer.verdict.probabilities, labels)
        return Outcome(version_of(answer.ensemble, self._repository), class_names, "rows", scores, answer.seconds)

    async def _of_pictures(self, question: Question, deadline: float) -> list[Answer]:
        """In the order in which they came. The first that fails fails the request."""
        pictures, fields = question.input.data, fields_of(question.parameters)
        fields["routing_key"] = one_way(fields.get("routing_key", ""))
        if question.input.datatype != "BYTES" or pictures.shape[1:] not in ((), (1,)):
            raise InvalidRequest(
                f"{ENCODED!r} is BYTES of shape [N], a picture file each; {question.input.datatype} of shape "
                f"{list(pictures.shape)} came. Send rows that are cut already as {ROWS!r}."
            )
        room = asyncio.Semaphore(self._window)

        async def classify(number: int, encoded: bytes) -> Answer:
            async with room:
                request = pb.ClassifyRequest(model=question.model, encoded=encoded, **fields)
                try:
                    return await self._classifier.classify(request, deadline)
                except InvalidRequest as error:
                    raise InvalidRequest(f"Picture {number + 1} of {pictures.size}: {error}") from error

        tasks = [asyncio.ensure_future(classify(*numbered)) for numbered in enumerate(pictures.flat)]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()  # does nothing to those that are done

    def _together(self, answers: Sequence[Answer]) -> Outcome:
        if len({answer.ensemble.labels for answer in answers}) > 1:
            raise Unavailable(
                "Pictures of a request have the same classes; the model changed meanwhile. Send it again."
            )
        versions = {version_of(answer.ensemble, self._repository) for answer in answers}
        return Outcome(
            versions.pop() if len(versions) == 1 else "",
            answers[0].ensemble.labels,
            views_label(answers[0].views),
            _scores(answers),
            _longest(answers),
        )


def _scores(answers: Sequence[Answer]) -> Scores:
    return Scores(
        np.stack([mean_logits(answer.polled.logits, answer.polled.weights) for answer in answers]),
        np.stack([answer.verdict.probabilities for answer in answers]),
        [answer.label for answer in answers],
    )


def _longest(answers: Sequence[Answer]) -> Seconds:
    return Seconds(*(max(spent) for spent in zip(*(answer.seconds for answer in answers), strict=True)))
