"""The HTTP door: metrics, and whether the process lives and is ready."""

from collections.abc import Callable

from aiohttp import web

from serving.metrics import Metrics


def http_app(metrics: Metrics, is_ready: Callable[[], bool]) -> web.Application:
    """/metrics for Prometheus; /healthz answers while the process lives; /readyz is 503 unless `is_ready()`."""

    async def scrape(request: web.Request) -> web.Response:
        body, content_type = metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def live(request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(request: web.Request) -> web.Response:
        if is_ready():
            return web.Response(text="ready\n")
        return web.Response(text="not ready: the server is stopping\n", status=503)

    app = web.Application()
    app.add_routes([web.get("/metrics", scrape), web.get("/healthz", live), web.get("/readyz", ready)])
    return app
