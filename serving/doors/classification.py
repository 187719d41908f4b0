"""The door for protos/classification.proto: requests in, answers or statuses out."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import grpc
import grpc.aio

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationServicer
from serving.doors.answering import Answering
from serving.doors.drain import STOPPING, Drain
from serving.doors.messages import to_list
from serving.doors.statuses import Refusal, status_of
from serving.doors.streams import in_order_of_completion, write
from serving.errors import InvalidRequest
from serving.models.repository import Repository


class ClassificationDoor(ClassificationServicer):
    """Implements tencrop.v1.Classification. A request may be the InvalidRequest that bodies.py gives."""

    def __init__(
        self,
        answering: Answering,
        repository: Repository,
        clock: Callable[[], float],
        stream_window: int,
        drain: Drain,
    ) -> None:
        """`stream_window` is the number of pictures of one stream that are worked on at a time. While `drain` stops,
        new calls are refused, and every open stream finishes the pictures that it has taken, takes no more, and ends
        with UNAVAILABLE.
        """
        self._answering = answering
        self._repository = repository
        self._clock = clock
        self._stream_window = stream_window
        self._drain = drain

    async def Classify(
        self, request: pb.ClassifyRequest | InvalidRequest, context: grpc.aio.ServicerContext
    ) -> pb.ClassifyResponse:
        if self._drain.stopping.is_set():
            await status_of(STOPPING).abort(context)
        with self._drain.call():
            outcome = await self._answering.outcome("Classify", request, self._deadline(context))
        if isinstance(outcome, Refusal):
            await outcome.abort(context)
        return outcome

    async def ClassifyStream(
        self, requests: AsyncIterator[pb.ClassifyStreamRequest | InvalidRequest], context: grpc.aio.ServicerContext
    ) -> None:
        deadline = self._deadline(context)

        async def answer(item: pb.ClassifyStreamRequest | InvalidRequest) -> pb.ClassifyStreamResponse:
            id, request = ("", item) if isinstance(item, InvalidRequest) else (item.id, item.request)
            outcome = await self._answering.outcome("ClassifyStream", request, deadline)
            if isinstance(outcome, Refusal):
                return pb.ClassifyStreamResponse(id=id, error=outcome.as_status())
            return pb.ClassifyStreamResponse(id=id, response=outcome)

        with self._drain.call():
            answers = in_order_of_completion(requests, answer, self._stream_window, self._drain.stopping)
            async with aclosing(answers):
                async for response in answers:
                    await write(response, context)
        if self._drain.stopping.is_set():
            await status_of(STOPPING).abort(context)

    async def ListModels(
        self, request: pb.ListModelsRequest | InvalidRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListModelsResponse:
        if isinstance(request, InvalidRequest):
            await status_of(request).abort(context)
        return to_list(self._repository)

    def _deadline(self, context: grpc.aio.ServicerContext) -> float:
        remaining = context.time_remaining()
        return math.inf if remaining is None else self._clock() + remaining
