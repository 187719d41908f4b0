"""Compressed messages of gRPC, inflated within the bound that all messages have.

gRPC itself inflates a message whole before it minds how long it has become: gigabytes, of a few megabytes that came. So
bounds.py tells it not to, and what came is handed over as it is.
"""

import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from serving.errors import InvalidRequest

_GZIP = b"\x1f\x8b"  # RFC 1952, section 2.3.1; no message begins so, since there is no wire type 7
_DEFLATE = b"\x78"  # RFC 1950, section 2.2: the window that gRPC's deflate has; a message may begin so, with a field 15
_EITHER = zlib.MAX_WBITS | 32


class InflatingInterceptor(grpc.aio.ServerInterceptor):
    """Gives methods what bodies.py makes of inflated messages."""

    def __init__(self, longest: int) -> None:
        """`longest` is a message's bound in bytes, compressed or not."""
        self._longest = longest

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        handler: Any = await continuation(details)
        if handler is None:
            return None
        parse = handler.request_deserializer

        def inflate_and_parse(body: bytes) -> Any:
            message = inflated(body, self._longest)
            return message if isinstance(message, InvalidRequest) else parse(message)

        return handler._replace(request_deserializer=inflate_and_parse)  # a named tuple, which its type does not say


def inflated(body: bytes, longest: int) -> bytes | InvalidRequest:
    """The message that `body` is, by gzip or deflate; or `body`, where it is not compressed or not whole. The error
    that says so where it would be longer than `longest` bytes, of which no more are made.
    """
    if not body.startswith((_GZIP, _DEFLATE)):
        return body
    stream = zlib.decompressobj(_EITHER)
    try:
        message = stream.decompress(body, longest + 1)
    except zlib.error:
        return body  # not compressed, or damaged; whoever parses it finds out which
    if len(message) > longest:
        return InvalidRequest(
            f"A message has at most {longest} bytes, compressed or not; {len(body)} that become more came. Send less "
            "at a time."
        )
    return message if stream.eof else body
