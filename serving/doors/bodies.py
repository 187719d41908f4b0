"""A service's methods as gRPC registers them, told of bodies that are no message.

What gRPC makes of such a body is UNKNOWN, a stack trace in the log, and for a stream its end.
"""

from collections.abc import Callable

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from protos import classification_pb2
from serving.errors import InvalidRequest

SERVICE = classification_pb2.DESCRIPTOR.services_by_name["Classification"]

_HANDLERS = {  # by whether requests and answers are streams
    (False, False): grpc.unary_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def handlers_of(service: ServiceDescriptor, servicer: object) -> grpc.GenericRpcHandler:
    """Every method of `service`, answered by `servicer`'s of that name. In place of a request that cannot be parsed, it
    gets the InvalidRequest that says so.
    """
    handlers = {
        method.name: _HANDLERS[method.client_streaming, method.server_streaming](
            getattr(servicer, method.name),
            request_deserializer=_parser(GetMessageClass(method.input_type)),
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )
        for method in service.methods
    }
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


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
