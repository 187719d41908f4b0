"""HTTP/1.1 on one connection, within bounds of bytes and of time: uvicorn's protocol, which has neither."""

import asyncio
import json
from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol


class HttpBounds(NamedTuple):
    """What one connection may take."""

    head_bytes: int = 32 * 2**10
    """Request line and headers; and as much between two pieces of a body that comes in chunks."""
    head_seconds: float = 10.0
    """From the first byte, or from the connection's begin, to the end of the headers."""
    stall_seconds: float = 20.0
    """Without a byte of a body that is not whole."""
    idle_seconds: int = 60
    """Between two requests."""
    connections: int = 1024
    """Of the whole server; more are closed."""


class BoundedProtocol(HttpToolsProtocol):
    """A head that is too large is answered by 431, what is no HTTP by 400, and either is closed; so is, without a
    word, who is too slow.
    """

    def __init__(self, bounds: HttpBounds, **options) -> None:
        super().__init__(**options)
        self._bounds = bounds
        self._in_head = True
        self._bytes_beside_body = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._allow(self._bounds.head_seconds)
        if len(self.connections) > self._bounds.connections:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._bytes_beside_body += len(data)
        if not self._in_head:
            self._allow(self._bounds.stall_seconds)
        elif self._timer is None:
            self._allow(self._bounds.head_seconds)
        super().data_received(data)
        if self._bytes_beside_body > self._bounds.head_bytes:
            self._refuse_head()

    def on_message_begin(self) -> None:
        self._allow(self._bounds.head_seconds)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers come after the body, and nobody asks for them
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self._bounds.head_bytes:
            self._refuse_head()
            return
        self._in_head, self._bytes_beside_body = False, 0
        self._allow(self._bounds.stall_seconds)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes_beside_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head, self._bytes_beside_body = True, 0
        self._arrived()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where the parser gives up."""
        self._refuse(400, "A request is HTTP/1.1; what came is not, or not whole. Send it with an HTTP client.")

    def _refuse_head(self) -> None:
        bound = self._bounds.head_bytes
        self._refuse(431, f"A request's line and headers have at most {bound} bytes; more came. Send fewer headers.")

    def _refuse(self, number: int, why: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"error": why}).encode()
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[number] + head.encode() + body)
        self.transport.close()

    def _allow(self, seconds: float) -> None:
        self._arrived()
        self._timer = self.loop.call_later(seconds, self._too_slow, seconds)

    def _arrived(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self, seconds: float) -> None:
        if self.flow.read_paused:  # it is not the caller who is slow
            self._allow(seconds)
        else:
            self.transport.close()
