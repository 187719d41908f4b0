"""The HTTP door alone, on a free port, over routers of the test's."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import APIRouter

from serving.doors.drain import Drain
from serving.doors.http import http_app
from serving.doors.http_protocol import HttpBounds
from serving.doors.http_server import HttpServer
from serving.metrics import Metrics
from tests.serving.fakes import PATIENCE
from tests.serving.loops import LoopThread


@dataclass
class HttpDoor:
    """A door that is open, and what stops it."""

    url: str
    drain: Drain
    _port: int

    def connected(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)

    def say(self, *pieces: bytes) -> bytes:
        """All that the door answers to these bytes until it closes the connection."""
        with self.connected() as connection:
            for piece in pieces:
                connection.sendall(piece)
            return b"".join(iter(lambda: connection.recv(2**16), b""))


@contextmanager
def http_door(
    loop: LoopThread,
    router: APIRouter,
    bounds: HttpBounds = HttpBounds(),  # noqa: B008, it is frozen
    max_body_bytes: int = 1000,
) -> Iterator[HttpDoor]:
    """Opens a door inside the block."""

    async def start() -> tuple[HttpServer, Drain]:
        drain = Drain()
        server = HttpServer(http_app(Metrics(), lambda: True, drain, [router], max_body_bytes), bounds)
        await server.start("127.0.0.1", 0)
        return server, drain

    server, drain = loop.run(start())
    try:
        yield HttpDoor(f"http://127.0.0.1:{server.port}", drain, server.port)
    finally:
        loop.run(server.stop())
