"""What every call over HTTP goes through: bounds of its body, a server that stops, a caller who goes, and failures."""

import asyncio
import threading

import httpx
import pytest
from fastapi import APIRouter, Request

from serving.errors import Overloaded
from tests.serving.doors.http_doors import http_door
from tests.serving.fakes import PATIENCE

BOUND = 1000


class Held:
    """An endpoint that answers when the test lets it."""

    def __init__(self) -> None:
        self.entered, self.cancelled = threading.Event(), threading.Event()
        self._open = asyncio.Event()

    async def answer(self) -> str:
        self.entered.set()
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "answered"

    async def let_go(self) -> None:
        self._open.set()


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def door(loop, held):
    router = APIRouter()

    @router.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @router.post("/held")
    async def answer(request: Request) -> str:
        await request.body()
        return await held.answer()

    @router.post("/full")
    async def full() -> None:
        raise Overloaded("The rule; what came.", retry_after=1.25)

    @router.post("/failing")
    async def failing() -> None:
        raise ValueError("at /srv/x.py")

    with http_door(loop, router, max_body_bytes=BOUND) as door:
        yield door


@pytest.fixture
def client(door):
    with httpx.Client(base_url=door.url, timeout=PATIENCE) as client:
        yield client


def test_a_body_within_the_bound_is_read(client):
    assert client.post("/length", content=bytes(BOUND)).json() == BOUND


def test_a_body_that_is_announced_as_too_long_is_refused_before_a_byte_of_it_comes(door):
    request = f"POST /length HTTP/1.1\r\nConnection: close\r\nContent-Length: {BOUND + 1}\r\n\r\n"
    answer = door.say(request.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'{"error":"A request\'s body has at most 1000 bytes; 1001 came.' in answer


def test_a_body_of_no_announced_length_is_refused_where_it_becomes_too_long(client):
    assert client.post("/length", content=iter([bytes(BOUND), b"1"])).status_code == 413


def test_a_caller_who_has_gone_is_not_worked_for(door, held):
    with door.connected() as connection:
        connection.sendall(b"POST /held HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        assert held.entered.wait(PATIENCE)
    assert held.cancelled.wait(PATIENCE)


def test_a_server_that_stops_refuses_new_calls_and_waits_for_those_in_flight(loop, door, client, held):
    answers: list[httpx.Response] = []
    caller = threading.Thread(target=lambda: answers.append(client.post("/held")))
    caller.start()
    assert held.entered.wait(PATIENCE)
    loop.run(stop(door.drain))
    refused = httpx.post(f"{door.url}/length", content=b"1")
    assert refused.status_code == 503
    assert "stopping" in refused.json()["error"]
    loop.run(held.let_go())
    loop.run(door.drain.idle(within=PATIENCE))
    caller.join()
    assert answers[0].json() == "answered"


async def stop(drain) -> None:
    drain.stop()


def test_a_call_that_outlasts_the_server_is_told_so(loop, held):
    router = APIRouter()
    router.add_api_route("/held", held.answer, methods=["POST"])
    answers: list[httpx.Response] = []
    with http_door(loop, router) as door:
        caller = threading.Thread(target=lambda: answers.append(httpx.post(f"{door.url}/held", timeout=PATIENCE)))
        caller.start()
        assert held.entered.wait(PATIENCE)
    caller.join()
    assert answers[0].status_code == 503
    assert "this one took longer" in answers[0].json()["error"]


def test_who_is_refused_is_told_when_to_come_again(client):
    refused = client.post("/full")
    assert (refused.status_code, refused.json()) == (429, {"error": "The rule; what came."})
    assert refused.headers["Retry-After"] == "2"


def test_a_failure_is_logged_once_and_told_by_its_id_alone(client, caplog):
    refused = client.post("/failing")
    assert refused.status_code == 500
    assert "/srv" not in refused.text
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.args[0] in refused.json()["error"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/length", 405)])
def test_what_http_itself_refuses_has_the_same_shape(client, method, path, status):
    refused = client.request(method, path)
    assert refused.status_code == status
    assert list(refused.json()) == ["error"]
