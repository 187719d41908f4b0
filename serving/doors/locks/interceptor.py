"""The entrance of the gRPC port: every method of every service, but for probes, is called through it."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager

import grpc
import grpc.aio
from grpc_health.v1 import health

from serving import request_ids, tracing
from serving.doors.locks.entrance import Entrance
from serving.doors.locks.paced import Paced
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
        """A call's first message, and each further one of a stream, comes within `idle_seconds`."""
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
        request_ids.begin(metadata.get(request_ids.HEADER))
        try:
            self._entrance.enter(metadata.get("authorization"))
        except TencropError as error:
            return _with(handler, _refusing(error))
        call = asyncio.current_task()
        assert call is not None
        call.add_done_callback(lambda _: self._entrance.leave())
        return _with(handler, self._let_in(handler, call, lambda: tracing.request(details.method[1:], metadata)))

    def _let_in(
        self, handler: grpc.RpcMethodHandler, call: asyncio.Task, span: Callable[[], AbstractContextManager]
    ) -> Callable:
        """The method, called once its first message is there."""
        behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        arrival = asyncio.get_running_loop().call_later(self._idle_seconds, call.cancel)
        call.add_done_callback(lambda _: arrival.cancel())

        def begin(asked, context: grpc.aio.ServicerContext):
            arrival.cancel()
            context.set_trailing_metadata(request_ids.as_metadata())
            if handler.request_streaming:
                return Paced(asked, self._entrance.seconds_until_more, self._idle_seconds)
            return asked

        async def run(asked, context: grpc.aio.ServicerContext):
            asked = begin(asked, context)
            with span():
                answer = await behaviour(asked, context)
            await _end(asked, context)
            return answer

        async def run_stream(asked, context: grpc.aio.ServicerContext) -> AsyncIterator:
            asked = begin(asked, context)
            with span():
                async for answer in behaviour(asked, context):
                    yield answer
            await _end(asked, context)

        return run_stream if inspect.isasyncgenfunction(behaviour) else run


def _with(handler: grpc.RpcMethodHandler, behaviour: Callable) -> grpc.RpcMethodHandler:
    """`handler`, but for what it does."""
    make = _HANDLERS[handler.request_streaming, handler.response_streaming]
    return make(behaviour, handler.request_deserializer, handler.response_serializer)


def _refusing(error: TencropError) -> Callable:
    async def refuse(asked, context: grpc.aio.ServicerContext) -> None:
        await status_of(error).abort(context)

    return refuse


async def _end(asked, context: grpc.aio.ServicerContext) -> None:
    """A stream that was not to go on ends by the status that says why."""
    if isinstance(asked, Paced) and asked.ended_by:
        await status_of(asked.ended_by).abort(context)
