"""Calls are sent again at a pace, and one that breaks stops no other."""

import asyncio

import pytest

from protos.request_log_pb2 import RecordedCall
from serving.request_log.replaying import AtOnce, replay
from tests.serving.fakes import PATIENCE
from tests.serving.loops import on_a_loop


class Breaks:
    """A client that raises what no client should."""

    async def send(self, request):
        raise ValueError("a bug")


@on_a_loop
async def test_a_bug_in_a_client_ends_a_replay_and_does_not_hang_it():
    call = RecordedCall()
    call.request.encoded = b"a picture"
    done = []
    replaying = replay([call] * 3, Breaks(), lambda each: each.request, AtOnce(1), done.append)
    with pytest.raises(ValueError, match="a bug"):
        await asyncio.wait_for(replaying, PATIENCE)
    assert done
