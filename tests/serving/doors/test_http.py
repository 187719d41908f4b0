"""The HTTP door: metrics in the format that is preferred, life, and readiness."""

import urllib.error

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from serving.doors.drain import Drain
from serving.doors.http import http_app
from serving.metrics import Metrics
from tests.serving.loops import on_a_loop


def test_metrics_are_plain_text_where_nothing_else_is_preferred(served):
    body, headers = served.http("/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert "tencrop_model_loaded" in {family.name for family in plain(body)}


def test_metrics_are_open_metrics_where_prometheus_prefers_it(served):
    body, headers = served.http("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert "tencrop_model_loaded" in {family.name for family in openmetrics(body)}


@pytest.mark.parametrize(("path", "word"), [("/healthz", "ok"), ("/readyz", "ready")])
def test_a_server_that_runs_is_alive_and_ready(served, path, word):
    assert served.http(path)[0].strip() == word


def test_any_other_path_is_not_found(served):
    with pytest.raises(urllib.error.HTTPError) as error:
        served.http("/")
    error.value.close()
    assert error.value.code == 404


@on_a_loop
async def test_a_server_that_stops_is_alive_but_not_ready():
    app = http_app(Metrics(), is_ready=lambda: False, drain=Drain(), routers=(), max_body_bytes=0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door") as client:
        assert (await client.get("/healthz")).status_code == 200
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        assert "stopping" in ready.text
