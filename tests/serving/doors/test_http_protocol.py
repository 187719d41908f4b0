"""HTTP on one connection: heads that are too large, bytes that are no HTTP, and callers who are slow."""

import pytest
from fastapi import APIRouter, Request

from serving.doors.http_protocol import HttpBounds
from tests.serving.doors.http_doors import http_door

HEAD = b"POST /length HTTP/1.1\r\nHost: x\r\n"
LONG = b"X-Long: " + b"x" * 2000 + b"\r\n"


@pytest.fixture
def door(loop):
    """A door that waits a twentieth of a second for what is slow, and takes heads of 1 kB."""
    router = APIRouter()

    @router.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    bounds = HttpBounds(head_bytes=1000, head_seconds=0.05, stall_seconds=0.05, idle_seconds=0)
    with http_door(loop, router, bounds) as door:
        yield door


@pytest.mark.parametrize(
    "head",
    [
        (HEAD + LONG + b"\r\n",),
        (HEAD + LONG,),
        (HEAD + b"X-Long: ", b"x" * 2000),
        (b"GET /" + b"x" * 2000,),
    ],
    ids=["whole", "not ended", "in a header", "in the path"],
)
def test_a_head_that_is_too_large_is_refused(door, head):
    answer = door.say(*head)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"at most 1000 bytes" in answer


def test_headers_after_the_body_do_not_go_on_for_ever(door):
    with door.connected() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\nX-Long: ")
        with pytest.raises(ConnectionError):
            connection.sendall(b"x" * 2**24)


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\x00\x01", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_no_http_is_refused_and_closed(door, said):
    assert door.say(said).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "said",
    [(), (b"POST /len",), (b"\r\n",), (HEAD,), (HEAD + b"Content-Length: 9\r\n\r\n",), (HEAD, b"X-A: 1\r\n", b"X-B: ")],
    ids=["nothing", "half a line", "an empty line", "half a head", "no body", "headers one by one"],
)
def test_who_does_not_go_on_is_closed_without_a_word(door, said):
    assert door.say(*said) == b""


def test_half_a_body_and_no_more_is_closed(door):
    assert door.say(HEAD + b"Content-Length: 9\r\n\r\n", b"12") == b""


def test_a_connection_is_closed_where_nothing_follows_the_answer(door):
    answer = door.say(HEAD + b"Content-Length: 2\r\n\r\n12")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n2")


def test_two_requests_one_after_the_other_are_answered_on_one_connection(door):
    once = HEAD + b"Content-Length: 2\r\n\r\n12"
    assert door.say(once + once).count(b"HTTP/1.1 200 ") == 2
