"""Questions about pictures, to models with a card: files by views and votes, rows as they are."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from protos import classification_pb2 as pb
from serving.doors.open_inference import outputs
from serving.doors.open_inference.descriptions import ENCODED, ROWS
from serving.doors.open_inference.models import version_of
from serving.doors.open_inference.outcome import Finish, Finished, Outcome
from serving.doors.open_inference.outputs import Scores
from serving.doors.open_inference.parameters import fields_of
from serving.doors.open_inference.question import Question
from serving.doors.open_inference.tensors import Tensor, check_pictures
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest, Unavailable
from serving.models.repository import Repository
from serving.pipeline.answer import Answer, Seconds
from serving.pipeline.plans import views_label
from serving.pipeline.surface import Pipeline
from serving.pipeline.voting import mean_logits
from serving.routing_keys import one_way


class _Scored(NamedTuple):
    """What the pipeline made of a question."""

    version: str
    class_names: Sequence[str]
    views: str
    scores: Scores
    seconds: Seconds
    cached: bool


class Pictures:
    """Answers by the pipeline."""

    def __init__(self, classifier: Pipeline, repository: Repository, clock: Callable[[], float], window: int) -> None:
        """`window` is how many pictures of one request are worked on at a time."""
        self._classifier = classifier
        self._repository = repository
        self._clock = clock
        self._window = window

    async def answer(self, question: Question, deadline: float, finish: Finish[Finished]) -> Finished:
        """What `finish` makes of the answer, before `deadline` on the clock. Raises the errors of serving.errors."""
        outputs.check(question.outputs)
        tensor = _the_only(question.inputs)
        if tensor.name not in (ENCODED, ROWS):
            raise InvalidRequest(f"A model has the inputs {ENCODED!r} and {ROWS!r}; {told(tensor.name)} came.")
        check_pictures(tensor)
        ask = self._of_pictures if tensor.name == ENCODED else self._of_rows
        scored = await ask(question, tensor, deadline)
        began = self._clock()
        tensors = outputs.tensors(question.outputs, scored.scores, scored.class_names)
        outcome = Outcome(
            scored.version,
            tensors,
            scored.views,
            len(scored.scores.labels),
            scored.seconds,
            self._clock() - began,
            scored.cached,
        )
        return await finish(outcome)

    async def _of_rows(self, question: Question, tensor: Tensor, deadline: float) -> _Scored:
        rows, fields = tensor.data, fields_of(question.parameters)
        if rows.dtype != np.uint8:
            raise InvalidRequest(f"{ROWS!r} is UINT8 from 0 to 255; {tensor.datatype} came. Scale them back.")
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
        version = version_of(answer.ensemble, self._repository)
        return _Scored(version, class_names, "rows", scores, answer.seconds, cached=False)

    async def _of_pictures(self, question: Question, tensor: Tensor, deadline: float) -> _Scored:
        """In the order in which they came. The first that fails fails the request."""
        pictures, fields = tensor.data, fields_of(question.parameters)
        fields["routing_key"] = one_way(fields.get("routing_key", ""))
        if tensor.datatype != "BYTES" or pictures.shape[1:] not in ((), (1,)):
            raise InvalidRequest(
                f"{ENCODED!r} is BYTES of shape [N], a picture file each; {tensor.datatype} of shape "
                f"{list(pictures.shape)} came. Send rows that are cut already as {ROWS!r}."
            )
        files = _files(pictures.ravel().tolist())
        room = asyncio.Semaphore(self._window)

        async def classify(number: int, encoded: bytes) -> Answer:
            async with room:
                request = pb.ClassifyRequest(model=question.model, encoded=encoded, **fields)
                try:
                    return await self._classifier.classify(request, deadline)
                except InvalidRequest as error:
                    raise InvalidRequest(f"Picture {number + 1} of {len(files)}: {error}") from error

        tasks = [asyncio.ensure_future(classify(*numbered)) for numbered in enumerate(files)]
        try:
            return self._together(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()  # does nothing to those that are done

    def _together(self, answers: Sequence[Answer]) -> _Scored:
        if len({answer.ensemble.labels for answer in answers}) > 1:
            raise Unavailable(
                "Pictures of a request have the same classes; the model changed meanwhile. Send it again."
            )
        versions = {version_of(answer.ensemble, self._repository) for answer in answers}
        return _Scored(
            versions.pop() if len(versions) == 1 else "",
            answers[0].ensemble.labels,
            views_label(answers[0].views),
            _scores(answers),
            _longest(answers),
            all(answer.cached for answer in answers),
        )


def _the_only(inputs: Sequence[Tensor]) -> Tensor:
    if len(inputs) != 1:
        raise InvalidRequest(
            f"A request about pictures has one input, {ENCODED!r} or {ROWS!r}; {len(inputs)} came. "
            "Send pictures that belong together as one tensor, and others as requests of their own."
        )
    return inputs[0]


def _files(elements: Sequence[bytes | str]) -> list[bytes]:
    """Files as they came raw, or in base64, where JSON listed them."""
    try:
        return [each if isinstance(each, bytes) else base64.b64decode(each, validate=True) for each in elements]
    except (binascii.Error, ValueError):
        raise InvalidRequest(
            "Files of pictures are in base64 where JSON lists them; others came. Encode them, or send them as binary "
            "data."
        ) from None


def _scores(answers: Sequence[Answer]) -> Scores:
    return Scores(
        np.stack([mean_logits(answer.polled.logits, answer.polled.weights) for answer in answers]),
        np.stack([answer.verdict.probabilities for answer in answers]),
        [answer.label for answer in answers],
    )


def _longest(answers: Sequence[Answer]) -> Seconds:
    return Seconds(*(max(spent) for spent in zip(*(answer.seconds for answer in answers), strict=True)))
