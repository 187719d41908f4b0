"""uvicorn inside the server's own event loop, bound and stopped by us."""

import asyncio
import logging
import socket
import ssl

import uvicorn
from starlette.types import ASGIApp

from serving.doors.http_protocol import BoundedProtocol, HttpBounds

# What is still being sent when everything else has stopped has this long to arrive.
_LAST_WORDS_SECONDS = 1


class HttpServer:
    """Serves an app on a port, from `start` to `stop`."""

    def __init__(
        self,
        app: ASGIApp,
        bounds: HttpBounds = HttpBounds(),  # noqa: B008, it is frozen
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Speaks TLS where `tls` is given."""
        self.port = 0

        def protocol(**options) -> BoundedProtocol:
            return BoundedProtocol(bounds, **options)

        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=protocol,  # type: ignore[arg-type]  # uvicorn calls it, and asks nothing else of it
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level=logging.ERROR,  # it warns of every request that is malformed
                access_log=False,
                proxy_headers=False,
                server_header=False,
                ssl_context_factory=(lambda config, default: tls) if tls else None,
                timeout_keep_alive=bounds.idle_seconds,
                timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
            )
        )

    async def start(self, host: str, port: int) -> None:
        """Opens the port; 0 takes a free one. Raises OSError where it is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=self._server.config.backlog)
        self.port = listener.getsockname()[1]
        # What uvicorn.Server.serve does, less its handlers of signals: those are main.py's.
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup([listener])
        self._ticking = asyncio.create_task(self._server.main_loop())

    async def stop(self) -> None:
        """Closes the port, and whatever is still open after a second."""
        self._ticking.cancel()
        await self._server.shutdown()
