"""The HTTP door: metrics, whether the process lives and is ready, and the protocols that speak HTTP."""

from collections.abc import Callable, Iterable

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from serving.doors.docs import docs_router
from serving.doors.drain import Drain
from serving.doors.http_calls import HttpCalls
from serving.doors.http_statuses import misshapen, refusal
from serving.errors import TencropError
from serving.metrics import Metrics

_READING = ["GET", "HEAD"]


def http_app(
    metrics: Metrics, is_ready: Callable[[], bool], drain: Drain, routers: Iterable[APIRouter], max_body_bytes: int
) -> FastAPI:
    """/metrics for Prometheus; /healthz answers while the process lives; /readyz is 503 unless `is_ready()`; /docs and
    /openapi.json; and what `routers` add, one a protocol. Their endpoints raise the errors of serving.errors, which
    http_statuses.py answers.
    """
    app = FastAPI(title="tencrop", version="1", docs_url=None, redoc_url=None)
    app.include_router(_probes(metrics, is_ready))
    app.include_router(docs_router(app.openapi))
    for router in routers:
        app.include_router(router)
    app.add_middleware(HttpCalls, drain=drain, max_body_bytes=max_body_bytes)
    app.add_exception_handler(TencropError, _refused)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _misshapen)
    return app


def _probes(metrics: Metrics, is_ready: Callable[[], bool]) -> APIRouter:
    router = APIRouter(default_response_class=PlainTextResponse, include_in_schema=False)

    @router.api_route("/metrics", methods=_READING)
    async def scrape(request: Request) -> Response:
        body, content_type = metrics.exposition(request.headers.get("Accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    @router.api_route("/healthz", methods=_READING)
    async def live() -> str:
        return "ok\n"

    @router.api_route("/readyz", methods=_READING)
    async def ready() -> Response:
        if is_ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("not ready: the server is stopping\n", status_code=503)

    return router


async def _refused(request: Request, error: Exception) -> Response:
    return refusal(error)


async def _misshapen(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return refusal(misshapen(error.errors()))
