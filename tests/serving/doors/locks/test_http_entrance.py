"""The HTTP port behind a lock, on a real port."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.loops import eventually
from tests.serving.running import Running, of_engines

EVERY, RARELY = "token-for-every-model", "token-for-one-an-hour"


def asked(server: Running, path: str, **headers: str):
    """Status, headers and body of an answer."""
    url = f"http://127.0.0.1:{server.server.http_port}{path}"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=PATIENCE)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def locked(loop, tmp_path_factory):
    path = tmp_path_factory.mktemp("locks") / "tokens.yaml"
    listed = [
        {"name": "every", "token": EVERY},
        {"name": "rarely", "token": RARELY, "requests_per_second": 1 / 3600},
    ]
    path.write_text(json.dumps(listed))
    with of_engines(loop, settings={"tokens_file": path, "max_header_bytes": 2048}, shades=FreeEngine()) as server:
        yield server


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_open(locked, path):
    assert asked(locked, path)[0] == 200


@pytest.mark.parametrize("path", ["/metrics", "/v1/models/shades", "/", "/healthz/", "/healthz/../metrics", "/Healthz"])
def test_everything_else_asks_for_a_token_and_says_how(locked, path):
    status, headers, body = asked(locked, path)
    assert status == 401
    assert headers["WWW-Authenticate"] == "Bearer"
    assert "authorization: Bearer TOKEN" in json.loads(body)["error"]


def test_who_shows_a_token_is_answered(locked):
    status, _, body = asked(locked, "/metrics", **bearer(EVERY))
    assert status == 200
    assert "tencrop_model_loaded" in body


def test_a_token_of_another_server_is_refused_without_a_word_of_it(locked):
    status, _, body = asked(locked, "/metrics", **bearer("token-of-another-server"))
    assert status == 401
    assert "token-of-another-server" not in body


def test_who_asks_too_often_is_told_when_to_come_again(locked):
    assert asked(locked, "/metrics", **bearer(RARELY))[0] == 200
    status, headers, _ = asked(locked, "/metrics", **bearer(RARELY))
    assert status == 429
    assert 3000 < int(headers["Retry-After"]) <= 3600


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nowhere"])
def test_a_request_is_named_as_its_caller_named_it(locked, path):
    for shown in ({}, bearer(EVERY)):
        assert asked(locked, path, **shown, **{"x-request-id": "order-66"})[1]["x-request-id"] == "order-66"


def test_a_request_without_a_name_is_given_one(locked):
    assert len(asked(locked, "/healthz")[1]["x-request-id"]) == 32


def test_headers_beyond_the_bound_are_refused(locked):
    assert asked(locked, "/healthz", note="x" * 1000)[0] == 200
    assert asked(locked, "/healthz", note="x" * 3000)[0] == 431


def test_connections_beyond_the_bound_are_closed(loop):
    with of_engines(loop, settings={"max_connections": 1}, shades=FreeEngine()) as server:
        address = ("127.0.0.1", server.server.http_port)
        with socket.create_connection(address, PATIENCE) as first:
            first.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert first.recv(4096).startswith(b"HTTP/1.1 200")
            with socket.create_connection(address, PATIENCE) as second:
                assert second.recv(1) == b""
        eventually(lambda: asked_or_none(server) == 200)


def asked_or_none(server) -> int | None:
    try:
        return asked(server, "/healthz")[0]
    except OSError:
        return None
