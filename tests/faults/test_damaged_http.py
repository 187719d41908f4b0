"""HTTP with random damage: callers are told what is documented, the server is unharmed and its log left in peace."""

import asyncio
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.damage.http import DOCUMENTED, UNANSWERED, damaged, statuses_told
from tests.serving.fakes import FreeEngine

PATIENCE = 0.3
"""Seconds that a caller waits who has perhaps not said all. No answer within them is no failure."""


@pytest.fixture
def server(unharmed):
    with unharmed(shades=FreeEngine()) as server:
        yield server


def test_requests_with_random_damage_get_documented_statuses(server):
    told = asyncio.run(statuses_told(server.server.http_port, islice(damaged(seed=1), 400), PATIENCE))
    assert set(told) <= DOCUMENTED | {UNANSWERED}
    assert {200, 400, 404, 431} <= set(told)
    assert told[UNANSWERED] < 200


def test_bodies_of_forms_that_are_anything_get_documented_statuses(server):
    edges = st.sampled_from(
        [b"--x\r\n", b"\r\n--x--\r\n", b"Content-Disposition: form-data; name=", b'"picture"; filename="']
    )
    bodies = st.lists(edges | st.binary(max_size=40), max_size=12).map(b"".join)
    kinds = st.sampled_from(["", "; charset=utf-7", "; charset=punycode", "; charset=unicode_escape", "; charset=hex"])

    @settings(max_examples=10)
    @given(st.lists(st.tuples(bodies, kinds), min_size=20, max_size=20))
    def check(forms):
        messages = [
            b"POST /v1/classify HTTP/1.1\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=x"
            + f"{kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
            for body, kind in forms
        ]
        told = asyncio.run(statuses_told(server.server.http_port, messages, PATIENCE))
        assert set(told) <= {200, 400, UNANSWERED}

    check()
