"""Services' methods as gRPC registers them, told of bodies that are no message.

What gRPC makes of such a body is UNKNOWN, a stack trace in the log, and for a stream its end.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from serving.doors.statuses import status_of
from serving.errors import InvalidRequest

_HANDLERS = {  # by whether requests and answers are streams
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def handlers_of(service: ServiceDescriptor, servicer: object) -> grpc.GenericRpcHandler:
    """Every method of `service`, which `servicer` implements. In place of a request that cannot be parsed, a
    method gets the InvalidRequest that says so.
    """
    return _handlers(service, lambda method: getattr(servicer, method.name))


def refusing_handlers_of(service: ServiceDescriptor, servicer: object) -> grpc.GenericRpcHandler:
    """The same, of a servicer that knows of messages alone: a request that cannot be parsed ends its call."""

    def around(method: MethodDescriptor) -> Callable[..., Any]:
        refusing = _refusing_streams if method.client_streaming else _refusing
        return refusing(getattr(servicer, method.name))

    return _handlers(service, around)


def _handlers(
    service: ServiceDescriptor, behaviour: Callable[[MethodDescriptor], Callable[..., Any]]
) -> grpc.GenericRpcHandler:
    handlers = {
        method.name: _HANDLERS[method.client_streaming, method.server_streaming](
            behaviour(method),
            request_deserializer=_parser(GetMessageClass(method.input_type)),
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method in service.methods
    }
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _refusing(answer: Callable[..., Any]) -> Callable[..., Any]:
    async def answer_or_refuse(request: Any, context: grpc.aio.ServicerContext) -> Any:
        if isinstance(request, InvalidRequest):
            await status_of(request).abort(context)
        return await answer(request, context)

    return answer_or_refuse


def _refusing_streams(answers: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    async def readable(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for request in requests:
            if isinstance(request, InvalidRequest):
                await status_of(request).abort(context)
            yield request

    async def answer_or_refuse(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for answer in answers(readable(requests, context), context):
            yield answer

    return answer_or_refuse


def _parser(kind: type[Message]) -> Callable[[bytes], Message | InvalidRequest]:
    def parse(body: bytes) -> Message | InvalidRequest:
        try:
            return kind.FromString(body)
        except DecodeError:
            return InvalidRequest(
                f"A request is a message {kind.DESCRIPTOR.full_name}; {len(body)} bytes that are none came. Send it "
                f"whole, made with {kind.DESCRIPTOR.file.name}."
            )

    return parse
