"""The entrance of the HTTP port: every path, but for probes and the documents of the interface, is asked through it."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import request_ids, routing_keys, tracing
from serving.doors.http_statuses import refusal
from serving.doors.locks.entrance import Entrance
from serving.errors import TencropError

_OPEN = {"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/docs", "/openapi.json"}
"""Probes carry no token, and the documents say what everybody may read in this repository."""


class EntranceMiddleware:
    """Around all of an app: names each request, and lets it in or refuses it."""

    def __init__(self, app: ASGIApp, entrance: Entrance) -> None:
        self._app = app
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        method = f"{scope['method']} {scope['path']}"
        name = request_ids.begin(headers.get(request_ids.HEADER), method)
        routing_keys.begin(headers.get(routing_keys.HEADER))

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[request_ids.HEADER] = name
            await send(message)

        if scope["path"] in _OPEN:
            await self._app(scope, receive, send_named)
            return
        try:
            self._entrance.enter(headers.get("authorization"))
        except TencropError as error:
            await refusal(error)(scope, receive, send_named)
            return
        try:
            with tracing.request(method, headers):
                await self._app(scope, receive, send_named)
        finally:
            self._entrance.leave()
