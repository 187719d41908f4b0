"""How long a call may wait for its caller, on a loop whose clock a test moves."""

import asyncio

import pytest

from serving.doors.locks.interceptor import _Watched
from serving.doors.locks.patience import Patience


class StillLoop(asyncio.SelectorEventLoop):
    """Its time stands still until a test moves it."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Moves time, and runs what is due."""
        self.now += seconds
        self.call_soon(self.stop)
        self.run_forever()


@pytest.fixture
def loop():
    loop = StillLoop()
    yield loop
    loop.close()


@pytest.fixture
def given_up():
    return []


@pytest.fixture
def patience(loop, given_up):
    async def make() -> Patience:
        return Patience(10, lambda: given_up.append(loop.now))

    return loop.run_until_complete(make())


def test_a_block_that_takes_too_long_is_given_up_once(loop, patience, given_up):
    with patience:
        loop.advance(9.9)
        assert given_up == []
        loop.advance(0.1)
        loop.advance(100)
    assert given_up == [10]


def test_time_between_blocks_does_not_count(loop, patience, given_up):
    for _ in range(5):
        with patience:
            loop.advance(6)
        loop.advance(60)
    assert given_up == []


def test_each_block_has_all_of_the_time(loop, patience, given_up):
    with patience:
        loop.advance(6)
    with patience:
        loop.advance(6)  # the timer of the block before is due in the middle of this
        loop.advance(3.9)
        assert given_up == []
        loop.advance(0.2)
    assert len(given_up) == 1


def test_nothing_is_given_up_after_the_end(loop, patience, given_up):
    with patience:
        patience.end()
        loop.advance(100)
    assert given_up == []


def test_an_answer_of_a_stream_that_is_not_read_ends_its_call(loop):
    class Unread:
        async def write(self, answer):
            await asyncio.get_running_loop().create_future()

    async def call():
        patience = Patience(10, asyncio.current_task().cancel)
        await _Watched(Unread(), patience).write("an answer")

    task = loop.create_task(call())
    loop.advance(0)
    loop.advance(9.9)
    assert not task.done()
    loop.advance(0.1)
    loop.advance(0)
    assert task.cancelled()
