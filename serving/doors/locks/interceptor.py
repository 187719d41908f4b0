"""The entrance of the gRPC port: every method of every service, but for probes, is called through it."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health

from serving import request_ids, routing_keys, tracing
from serving.doors.locks.entrance import Entrance
from serving.doors.locks.paced import Paced
from serving.doors.locks.patience import Patience
from serving.doors.statuses import status_of
from serving.errors import TencropError

_OPEN = (
    f"/{health.SERVICE_NAME}/",
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
)
"""Whoever restarts or balances servers needs no token."""

_HANDLERS = {  # by whether requests and answers are streams
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


class EntranceInterceptor(grpc.aio.ServerInterceptor):
    """Names each call, lets it in or refuses it, and ends it where it makes no progress."""

    def __init__(self, entrance: Entrance, idle_seconds: float) -> None:
        """A message comes within `idle_seconds`, and an answer is read within as long."""
        self._entrance = entrance
        self._idle_seconds = idle_seconds

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        handler = await continuation(details)
        if handler is None or details.method.startswith(_OPEN):
            return handler
        metadata = dict(details.invocation_metadata or ())
        method = details.method.removeprefix("/")
        request_ids.begin(metadata.get(request_ids.HEADER), method)
        routing_keys.begin(metadata.get(routing_keys.HEADER))
        try:
            self._entrance.enter(metadata.get("authorization"))
        except TencropError as error:
            return _with(handler, _refusing(error))
        task = asyncio.current_task()
        assert task is not None
        kind = _Stream if handler.request_streaming or handler.response_streaming else _Call
        call = kind(method, metadata, task, self._entrance, self._idle_seconds)
        task.add_done_callback(call.end)
        return _with(handler, call.around(handler))


class _Call:
    """A call that was let in, and has been waiting for its first message since."""

    def __init__(
        self, method: str, metadata: dict[str, str], task: asyncio.Task, entrance: Entrance, idle_seconds: float
    ) -> None:
        self._method = method
        self._metadata = metadata
        self._entrance = entrance
        self._arrival = asyncio.get_running_loop().call_later(idle_seconds, task.cancel)

    def around(self, handler: grpc.RpcMethodHandler) -> Callable:
        """The method of `handler`, watched."""

        async def run(asked: Any, context: grpc.aio.ServicerContext) -> Any:
            with self._begun(context):
                return await handler.unary_unary(asked, context)

        return run

    def end(self, task: asyncio.Task) -> None:
        """It leaves, however it ended."""
        self._arrival.cancel()
        self._entrance.leave()

    def _begun(self, context: grpc.aio.ServicerContext) -> AbstractContextManager[None]:
        """Its first message is there, or is asked for from here on; inside the block its method runs."""
        self._arrival.cancel()
        context.set_trailing_metadata(request_ids.as_metadata())
        return tracing.request(self._method, self._metadata)


class _Stream(_Call):
    """A call of many messages, whose caller may be slow to send or to read any of them."""

    def __init__(
        self, method: str, metadata: dict[str, str], task: asyncio.Task, entrance: Entrance, idle_seconds: float
    ) -> None:
        super().__init__(method, metadata, task, entrance, idle_seconds)
        self._idle_seconds = idle_seconds
        self._reading = Patience(idle_seconds, task.cancel)  # of answers, by the caller

    def around(self, handler: grpc.RpcMethodHandler) -> Callable:
        method = handler.unary_stream or handler.stream_unary or handler.stream_stream

        def begin(asked: Any) -> Any:
            if not handler.request_streaming:
                return asked
            return Paced(asked, self._entrance.seconds_until_more, self._idle_seconds)

        async def run(asked: Any, context: grpc.aio.ServicerContext) -> Any:
            asked = begin(asked)
            with self._begun(context):
                answer = await method(asked, _Watched(context, self._reading))
            await _end_by_what_ended(asked, context)
            return answer

        async def run_stream(asked: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
            asked = begin(asked)
            with self._begun(context):
                async for answer in method(asked, context):
                    with self._reading:
                        yield answer
            await _end_by_what_ended(asked, context)

        return run_stream if inspect.isasyncgenfunction(method) else run

    def end(self, task: asyncio.Task) -> None:
        super().end(task)
        self._reading.end()


class _Watched:
    """A method's context, which minds how long its caller takes to read an answer."""

    def __init__(self, context: grpc.aio.ServicerContext, reading: Patience) -> None:
        self._context = context
        self._reading = reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def write(self, answer: Any) -> None:
        with self._reading:
            await self._context.write(answer)


def _with(handler: grpc.RpcMethodHandler, method: Callable) -> grpc.RpcMethodHandler:
    """`handler`, but for what it does."""
    make = _HANDLERS[handler.request_streaming, handler.response_streaming]
    return make(method, handler.request_deserializer, handler.response_serializer)


def _refusing(error: TencropError) -> Callable:
    async def refuse(asked: Any, context: grpc.aio.ServicerContext) -> None:
        await status_of(error).abort(context)

    return refuse


async def _end_by_what_ended(asked: Any, context: grpc.aio.ServicerContext) -> None:
    """A stream that was not to go on ends by the status that says why."""
    if isinstance(asked, Paced) and asked.ended_by:
        await status_of(asked.ended_by).abort(context)
