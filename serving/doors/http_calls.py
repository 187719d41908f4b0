"""What every call over HTTP goes through, whatever its protocol: bounds, the end of a server, callers who go."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.doors.drain import STOPPING, Drain
from serving.doors.http_statuses import refusal
from serving.errors import Unavailable

_CUT_OFF = Unavailable("A server that stops gives calls so long to finish; this one took longer. Ask another replica.")


class HttpCalls:
    """ASGI middleware. A POST is refused where its body is too long (413) or the server is stopping (503), is waited
    for by `drain`, and ends where its caller has gone. What an app raises becomes a refusal.
    """

    def __init__(self, app: ASGIApp, drain: Drain, max_body_bytes: int) -> None:
        self._app = app
        self._drain = drain
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = _Call(self._app, scope, receive, send, self._max_body_bytes)
        if scope["method"] != "POST":
            await call.run()
        elif self._drain.stopping.is_set():
            await call.refuse(STOPPING)
        else:
            with self._drain.call():
                await call.run()


class _Call:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, max_body_bytes: int) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._body_bytes = 0
        self._answering = self._gone = False
        self._work: asyncio.Task | None = None
        self._watch: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until it is answered, refused, or its caller has gone."""
        self._work = asyncio.current_task()
        try:
            self._check_length()
            await self._app(self._scope, self._next_of_body, self._next_of_answer)
        except asyncio.CancelledError:  # by us, or by uvicorn at its end; either way this is all of the task
            if not (self._gone or self._answering):
                await self.refuse(_CUT_OFF)
        except ClientDisconnect:  # within its body
            pass
        except Exception as error:
            await self.refuse(error)
        finally:
            self._stop_watching()

    async def refuse(self, error: Exception) -> None:
        """Answers by a refusal. An answer that has begun breaks off instead: raises `error`."""
        if self._answering:
            raise error
        await refusal(error)(self._scope, self._receive, self._next_of_answer)

    def _check_length(self) -> None:
        declared = dict(self._scope["headers"]).get(b"content-length", b"0")
        if int(declared) > self._max_body_bytes:  # digits, or the parser would have refused it
            raise self._too_long(declared.decode())

    async def _next_of_body(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._body_bytes += len(message.get("body", b""))
            if self._body_bytes > self._max_body_bytes:
                raise self._too_long(f"{self._body_bytes} and more")
            if not message.get("more_body") and self._watch is None and not self._answering:
                self._watch = asyncio.create_task(self._cancel_once_gone())
        return message

    async def _next_of_answer(self, message: Message) -> None:
        self._answering = True
        self._stop_watching()
        await self._send(message)

    async def _cancel_once_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        assert self._work
        self._work.cancel()

    def _stop_watching(self) -> None:
        if self._watch:
            self._watch.cancel()

    def _too_long(self, came: str) -> HTTPException:
        return HTTPException(
            413, f"A request's body has at most {self._max_body_bytes} bytes; {came} came. Send a smaller picture."
        )
