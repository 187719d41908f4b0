"""Decoding threads: models in turn, room for each, and what becomes of those whose caller goes."""

import asyncio
import threading

import pytest

from serving.errors import Overloaded
from serving.pipeline.decoding import Decoding
from tests.serving.fakes import PATIENCE
from tests.serving.loops import on_a_loop


class Bench:
    """Threads whose every work waits until the test ends it. Make it inside the event loop."""

    def __init__(self, threads: int = 1, pixels: int = 1000) -> None:
        self.begun: list[str] = []
        self._decoding = Decoding(threads, pixels)
        self._held: dict[str, threading.Event] = {}

    def ask(self, name: str, pixels: int = 1) -> asyncio.Task[str]:
        """Work called `name`, of the model of its first letter, that returns its name."""
        self._held[name] = threading.Event()

        def work() -> str:
            self.begun.append(name)
            assert self._held[name].wait(PATIENCE), f"the test never ended {name}"
            return name

        return asyncio.ensure_future(self._decoding.run(name[0], pixels, work))

    async def until_begun(self, *names: str) -> None:
        while sorted(self.begun) != sorted(names):
            assert len(self.begun) <= len(names), f"{self.begun} were begun"
            await asyncio.sleep(0)

    def end(self, *names: str) -> None:
        for name in names or self._held:
            self._held[name].set()

    def close(self) -> None:
        self.end()
        self._decoding.close()


@pytest.fixture
def bench():
    benches = []

    def make(**options) -> Bench:
        benches.append(Bench(**options))
        return benches[-1]

    yield make
    for each in benches:
        each.close()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@on_a_loop
async def test_while_one_models_slow_pictures_fill_the_pool_another_model_answers(bench):
    scene = bench(threads=2)
    hot = [scene.ask(f"hot {number}") for number in range(20)]
    await scene.until_begun("hot 0", "hot 1")
    cool = scene.ask("cool")
    scene.end("hot 0", "cool")
    assert await cool == "cool"
    assert scene.begun[2] == "cool"
    assert not hot[1].done()
    scene.end()
    await asyncio.gather(*hot)


@on_a_loop
async def test_models_that_wait_take_turns(bench):
    scene = bench()
    first = scene.ask("a0")
    await scene.until_begun("a0")
    tasks = [scene.ask(name) for name in ("a1", "a2", "a3", "b1", "b2", "c1")]
    await settle()
    scene.end()
    await asyncio.gather(first, *tasks)
    assert scene.begun == ["a0", "b1", "c1", "a1", "b2", "a2", "a3"]


@on_a_loop
async def test_one_model_fills_its_share_and_another_still_gets_in(bench):
    scene = bench(pixels=4)
    hot = [scene.ask("h1"), scene.ask("h2")]
    await settle()
    with pytest.raises(Overloaded, match="At most 4 pixels of large pictures"):
        await scene.ask("h3")
    cool = scene.ask("cool")
    scene.end()
    assert await asyncio.gather(*hot, cool) == ["h1", "h2", "cool"]


@on_a_loop
async def test_room_is_free_again_once_the_work_has_ended(bench):
    scene = bench(pixels=4)
    for name in ("a", "b", "c"):
        task = scene.ask(name, pixels=4)
        await settle()
        scene.end(name)
        assert await task == name


@on_a_loop
async def test_what_a_caller_leaves_before_its_turn_is_not_begun_and_gives_its_room_back(bench):
    scene = bench(pixels=4)
    first = scene.ask("a1")
    await scene.until_begun("a1")
    gone = scene.ask("a2")
    await settle()
    gone.cancel()
    await settle()
    last = scene.ask("a3")
    scene.end()
    assert await asyncio.gather(first, last) == ["a1", "a3"]
    assert scene.begun == ["a1", "a3"]


@on_a_loop
async def test_a_thread_whose_caller_has_gone_is_busy_and_its_room_held_until_the_work_ends(bench):
    scene = bench(pixels=4)
    gone = scene.ask("a1", pixels=3)
    await scene.until_begun("a1")
    gone.cancel()
    await settle()
    with pytest.raises(Overloaded):
        await scene.ask("a2", pixels=3)
    other = scene.ask("b")
    await settle()
    assert scene.begun == ["a1"]
    scene.end()
    assert await other == "b"


@on_a_loop
async def test_what_work_raises_its_caller_gets_and_the_thread_goes_on():
    decoding = Decoding(1, max_pixels=1)
    with pytest.raises(ZeroDivisionError):
        await decoding.run("a", 1, lambda: 1 // 0)
    assert await decoding.run("a", 1, lambda: 7) == 7
    decoding.close()
