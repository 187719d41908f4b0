"""A change is carried to its end, whoever has stopped waiting."""

import asyncio

import pytest

from serving.models.lifecycle.finishing import finished
from tests.serving.loops import on_a_loop


@on_a_loop
async def test_who_is_cancelled_leaves_once_the_change_has_ended():
    go_on, ended = asyncio.Event(), []

    async def change():
        await go_on.wait()
        ended.append(True)

    waiting = asyncio.ensure_future(finished(change()))
    for _ in range(2):  # however often
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
        assert not waiting.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == [True]


@on_a_loop
async def test_what_a_change_gives_or_raises_is_given_and_raised():
    async def seven():
        return 7

    async def fails():
        raise OSError("no space left")

    assert await finished(seven()) == 7
    with pytest.raises(OSError, match="no space left"):
        await finished(fails())
