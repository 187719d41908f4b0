"""The door for protos/open_inference.proto."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any

import grpc
import grpc.aio

from protos import open_inference_pb2 as pb
from protos.open_inference_pb2_grpc import GRPCInferenceServiceServicer
from serving.aside import aside
from serving.doors.drain import STOPPING, Drain
from serving.doors.open_inference import descriptions, models
from serving.doors.open_inference.inference import Inference
from serving.doors.open_inference.messages import question_in, reads_slowly, response_of
from serving.doors.open_inference.question import Question, Reply
from serving.doors.open_inference.statistics import Statistics
from serving.doors.statuses import status_of
from serving.doors.streams import in_order_of_completion, in_turn, write
from serving.errors import InvalidRequest, NotServed
from serving.models.repository import Repository


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Ends the call by a status where `method` raises, or where what came is the InvalidRequest of bodies.py."""

    @wraps(method)
    async def answer(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            if isinstance(request, InvalidRequest):
                raise request
            return await method(self, request, context)
        except Exception as error:
            refusal = status_of(error)
        return await refusal.abort(context)

    return answer


class OpenInferenceDoor(GRPCInferenceServiceServicer):
    """Implements inference.GRPCInferenceService."""

    def __init__(
        self,
        inference: Inference,
        statistics: Statistics,
        repository: Repository,
        clock: Callable[[], float],
        drain: Drain,
        stream_window: int,
    ) -> None:
        """`stream_window` requests of one stream are worked on at a time. While `drain` stops, the server is not ready,
        new requests are refused, and every open stream finishes those that it has taken, and ends with UNAVAILABLE.
        """
        self._inference = inference
        self._statistics = statistics
        self._repository = repository
        self._clock = clock
        self._drain = drain
        self._stream_window = stream_window

    @answering
    async def ServerLive(self, request: pb.ServerLiveRequest, context) -> pb.ServerLiveResponse:
        return pb.ServerLiveResponse(live=True)

    @answering
    async def ServerReady(self, request: pb.ServerReadyRequest, context) -> pb.ServerReadyResponse:
        return pb.ServerReadyResponse(ready=not self._drain.stopping.is_set())

    @answering
    async def ModelReady(self, request: pb.ModelReadyRequest, context) -> pb.ModelReadyResponse:
        try:
            return pb.ModelReadyResponse(ready=not models.ails(request.name, request.version, self._repository))
        except NotServed:
            return pb.ModelReadyResponse(ready=False)

    @answering
    async def ServerMetadata(self, request: pb.ServerMetadataRequest, context) -> pb.ServerMetadataResponse:
        return models.server()

    @answering
    async def ModelMetadata(self, request: pb.ModelMetadataRequest, context) -> pb.ModelMetadataResponse:
        return descriptions.metadata(request.name, request.version, self._repository)

    @answering
    async def ModelConfig(self, request: pb.ModelConfigRequest, context) -> pb.ModelConfigResponse:
        return pb.ModelConfigResponse(config=descriptions.config(request.name, request.version, self._repository))

    @answering
    async def ModelStatistics(self, request: pb.ModelStatisticsRequest, context) -> pb.ModelStatisticsResponse:
        return self._statistics.of(models.asked_of(request.name, request.version, self._repository))

    @answering
    async def RepositoryIndex(self, request: pb.RepositoryIndexRequest, context) -> pb.RepositoryIndexResponse:
        return pb.RepositoryIndexResponse(models=models.index(self._repository, request.ready))

    @answering
    async def RepositoryModelLoad(self, request: pb.RepositoryModelLoadRequest, context) -> None:
        raise models.elsewhere()

    @answering
    async def RepositoryModelUnload(self, request: pb.RepositoryModelUnloadRequest, context) -> None:
        raise models.elsewhere()

    async def ModelInfer(
        self, request: pb.ModelInferRequest | InvalidRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelInferResponse:
        if self._drain.stopping.is_set():
            await status_of(STOPPING).abort(context)
        try:
            with self._drain.call():
                return await self._answer("ModelInfer", request, self._deadline(context))
        except Exception as error:
            refusal = status_of(error)
        return await refusal.abort(context)

    async def ModelStreamInfer(
        self, requests: AsyncIterator[pb.ModelInferRequest | InvalidRequest], context: grpc.aio.ServicerContext
    ) -> None:
        """Answers come in the order of their requests: Triton's clients may tell them by that."""
        deadline = self._deadline(context)

        async def answer(request: pb.ModelInferRequest | InvalidRequest) -> pb.ModelStreamInferResponse:
            try:
                return pb.ModelStreamInferResponse(
                    infer_response=await self._answer("ModelStreamInfer", request, deadline)
                )
            except Exception as error:
                id = "" if isinstance(request, InvalidRequest) else request.id
                failed = pb.ModelInferResponse(id=id)
                return pb.ModelStreamInferResponse(error_message=status_of(error).message, infer_response=failed)

        with self._drain.call():
            answers = in_order_of_completion(requests, in_turn(answer), self._stream_window, self._drain.stopping)
            async with aclosing(answers):
                async for response in answers:
                    await write(response, context)
        if self._drain.stopping.is_set():
            await status_of(STOPPING).abort(context)

    async def _answer(
        self, method: str, request: pb.ModelInferRequest | InvalidRequest, deadline: float
    ) -> pb.ModelInferResponse:
        """Raises as Inference.answer does. That `request` is none is counted there too."""

        async def read() -> Question:
            return await aside(reads_slowly(request), question_in, request)

        async def write(reply: Reply) -> pb.ModelInferResponse:
            raw = isinstance(request, pb.ModelInferRequest) and bool(request.raw_input_contents)
            return await aside(reply.writes_slowly, response_of, reply, raw)

        return await self._inference.answer(method, read, write, deadline)

    def _deadline(self, context: grpc.aio.ServicerContext) -> float:
        remaining = context.time_remaining()
        return math.inf if remaining is None else self._clock() + remaining
