"""Answering a stream, with items and answers that the test holds in its hand."""

import asyncio

import pytest

from serving.doors.streams import in_order_of_completion, in_turn
from tests.serving.loops import on_a_loop


class Stream:
    """Items that come when the test says so, and their answers. Make it inside the event loop."""

    def __init__(self, window: int = 100) -> None:
        self.taken: list[str] = []
        self.answers: dict[str, asyncio.Future[str]] = {}
        self.stopping = asyncio.Event()
        self._items: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.given = in_order_of_completion(self._read(), self._answer, window, self.stopping)

    async def send(self, *items: str | Exception | None) -> None:
        """Sends items; None is the stream's end, an exception its failure."""
        for item in items:
            self._items.put_nowait(item)
        await settle()

    async def answer(self, *items: str) -> None:
        for item in items:
            self.answers[item].set_result(item.upper())
        await settle()

    async def _read(self):
        while (item := await self._items.get()) is not None:
            if isinstance(item, Exception):
                raise item
            self.taken.append(item)
            yield item

    async def _answer(self, item: str) -> str:
        self.answers[item] = asyncio.get_running_loop().create_future()
        return await self.answers[item]


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def collected(stream: Stream) -> "asyncio.Task[list[str]]":
    """A task that takes every answer as soon as it is there."""

    async def collect():
        return [one async for one in stream.given]

    return asyncio.create_task(collect())


@on_a_loop
async def test_answers_come_in_order_of_completion():
    stream = Stream()
    everything = collected(stream)
    await stream.send("a", "b", "c", None)
    for item in ("b", "c", "a"):
        await stream.answer(item)
    assert await everything == ["B", "C", "A"]


@on_a_loop
async def test_the_first_answer_does_not_wait_for_the_last_item():
    stream = Stream()
    first = asyncio.ensure_future(anext(stream.given))
    await stream.send("a")
    await stream.answer("a")
    assert first.result() == "A"
    await stream.given.aclose()


@on_a_loop
async def test_an_empty_stream_has_no_answers():
    stream = Stream()
    everything = collected(stream)
    await stream.send(None)
    assert await everything == []


@on_a_loop
async def test_every_item_is_answered_although_the_caller_has_stopped_sending():
    stream = Stream()
    everything = collected(stream)
    await stream.send("a", "b", None)
    await stream.answer("a")
    assert not everything.done()
    await stream.answer("b")
    assert await everything == ["A", "B"]


@on_a_loop
async def test_no_more_items_are_taken_than_the_window_holds():
    stream = Stream(window=2)
    everything = collected(stream)
    await stream.send("a", "b", "c", "d", None)
    assert stream.taken == ["a", "b"]
    await stream.answer("b")
    assert stream.taken == ["a", "b", "c"]
    for item in ("a", "c", "d"):
        await stream.answer(item)
    assert await everything == ["B", "A", "C", "D"]


@on_a_loop
async def test_a_reader_who_takes_no_answers_is_not_read_from():
    stream = Stream(window=2)
    first = asyncio.ensure_future(anext(stream.given))
    await stream.send("a", "b", "c", "d")
    await stream.answer("a", "b")
    assert first.result() == "A"
    await settle()
    assert stream.taken == ["a", "b"]
    second = asyncio.ensure_future(anext(stream.given))
    await settle()
    assert second.result() == "B"
    assert stream.taken == ["a", "b", "c"]
    await stream.given.aclose()


@on_a_loop
async def test_a_stream_that_ends_early_cancels_what_is_being_answered():
    stream = Stream()
    first = asyncio.ensure_future(anext(stream.given))
    await stream.send("a", "b", "c")
    await stream.answer("a")
    await first
    await stream.given.aclose()
    await settle()
    assert stream.answers["b"].cancelled()
    assert stream.answers["c"].cancelled()


@on_a_loop
async def test_a_cancelled_reader_cancels_what_is_being_answered():
    stream = Stream()
    everything = collected(stream)
    await stream.send("a", "b")
    everything.cancel()
    await settle()
    assert stream.answers["a"].cancelled()
    assert stream.answers["b"].cancelled()


@on_a_loop
async def test_what_reading_raises_is_raised_and_the_rest_is_cancelled():
    stream = Stream()
    everything = collected(stream)
    await stream.send("a", ConnectionError("gone"))
    with pytest.raises(ConnectionError, match="gone"):
        await everything
    await settle()
    assert stream.answers["a"].cancelled()


@on_a_loop
async def test_once_stopping_those_in_the_window_are_answered_and_the_stream_ends():
    stream = Stream()
    everything = collected(stream)
    await stream.send("a", "b")
    stream.stopping.set()
    await settle()
    await stream.answer("b", "a")
    assert await everything == ["B", "A"]


@on_a_loop
async def test_once_stopping_no_further_item_is_taken():
    stream = Stream()
    everything = collected(stream)
    await stream.send("a")
    stream.stopping.set()
    await settle()
    await stream.send("b")
    assert stream.taken == ["a"]
    await stream.answer("a")
    assert await everything == ["A"]


@on_a_loop
async def test_a_stream_that_opens_while_stopping_ends_without_an_item():
    stream = Stream()
    stream.stopping.set()
    everything = collected(stream)
    await stream.send("a")
    await settle()
    assert everything.done()
    assert everything.result() == []


@on_a_loop
async def test_answers_in_turn_wait_for_those_asked_before():
    promised = {item: asyncio.get_running_loop().create_future() for item in "abc"}
    given: list[str] = []

    async def answer(item: str) -> str:
        return await promised[item]

    answer_in_turn = in_turn(answer)

    async def note(item: str) -> None:
        given.append(await answer_in_turn(item))

    notes = [asyncio.create_task(note(item)) for item in "abc"]
    promised["c"].set_result("C")
    promised["a"].set_result("A")
    await settle()
    assert given == ["A"]
    promised["b"].set_result("B")
    await asyncio.gather(*notes)
    assert given == ["A", "B", "C"]
