"""Whoever has published says so, and is told what was found."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from serving.errors import ModelRejected, NotServed, StoreFailed
from serving.models.lifecycle.refreshing import Refresher
from tests.serving.loops import on_a_loop
from tests.serving.models.disk import Disk

SHADES_1, SHADES_2 = ("shades", 1), ("shades", 2)


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path)
    disk.add("shades", 1)
    disk.add("tones", 1)
    return disk


class Store:
    """A store that has the directory changed when it is asked to."""

    def __init__(self, change=lambda: None) -> None:
        self.change, self.rounds, self.absent = change, 0, {}
        self.open = asyncio.Event()
        self.open.set()

    async def sync(self):
        self.rounds += 1
        await self.open.wait()
        self.change()
        return self.absent


@asynccontextmanager
async def refreshing(disk, store=None):
    manager = disk.manager()
    try:
        await manager.start()
        yield Refresher(manager, store.sync if store else None)
    finally:
        await manager.close()


@on_a_loop
async def test_what_came_and_went_since_the_last_look_is_found(disk):
    async with refreshing(disk) as refresher:
        disk.add("shades", 2)
        disk.remove("tones")
        found = await refresher.refresh()
        assert (found.appeared, found.gone, found.waiting) == ({SHADES_2}, {("tones", 1)}, {})
        found = await refresher.refresh()
        assert (found.appeared, found.gone) == (set(), set())


@on_a_loop
async def test_a_version_with_other_files_is_found_again(disk):
    async with refreshing(disk) as refresher:
        disk.repair("shades", 1)
        assert (await refresher.refresh()).appeared == {SHADES_1}


@on_a_loop
async def test_what_is_not_whole_waits_and_says_for_what(disk):
    async with refreshing(disk) as refresher:
        (disk.root / "shades" / "2").mkdir()
        assert (await refresher.refresh()).waiting == {SHADES_2: "saved_model.pb is not there yet"}


@on_a_loop
async def test_the_store_is_looked_at_first_and_what_it_lacks_waits(disk):
    store = Store(lambda: disk.add("shades", 2))
    store.absent = {("shades", 3): "its upload has not ended"}
    async with refreshing(disk, store) as refresher:
        found = await refresher.refresh()
        assert (found.appeared, found.waiting) == ({SHADES_2}, store.absent)


@on_a_loop
async def test_of_a_model_only_that_is_told_and_one_that_is_nowhere_is_refused(disk):
    async with refreshing(disk) as refresher:
        disk.add("shades", 2)
        disk.add("tones", 2)
        assert (await refresher.refresh("shades")).appeared == {SHADES_2}
        disk.remove("shades")
        assert (await refresher.refresh("shades")).gone == {SHADES_1, SHADES_2}
        with pytest.raises(NotServed, match="nothing of 'shades' does"):
            await refresher.refresh("shades")


@on_a_loop
async def test_who_calls_while_a_look_runs_shares_the_next_with_the_others(disk):
    store = Store()
    async with refreshing(disk, store) as refresher:
        store.open.clear()
        first = asyncio.create_task(refresher.refresh())
        while not store.rounds:
            await asyncio.sleep(0)
        disk.add("shades", 2)
        others = [asyncio.create_task(refresher.refresh()) for _ in range(50)]
        await asyncio.sleep(0)
        store.open.set()
        await asyncio.gather(first, *others)
        assert store.rounds == 2


@on_a_loop
async def test_a_caller_who_goes_ends_no_look_that_others_wait_for(disk):
    store = Store()
    async with refreshing(disk, store) as refresher:
        store.open.clear()
        one, other = asyncio.create_task(refresher.refresh()), asyncio.create_task(refresher.refresh())
        while not store.rounds:
            await asyncio.sleep(0)
        one.cancel()
        disk.add("shades", 2)
        store.open.set()
        assert (await other).appeared == {SHADES_2}


@on_a_loop
async def test_a_store_or_a_directory_that_cannot_be_read_is_told_and_the_next_look_is_none_the_worse(disk):
    def fail():
        raise StoreFailed("it is out")

    store = Store(fail)
    async with refreshing(disk, store) as refresher:
        with pytest.raises(StoreFailed, match="it is out"):
            await refresher.refresh()
        store.change = lambda: disk.declare("labels: 3")
        with pytest.raises(ModelRejected, match=r"models\.yaml"):
            await refresher.refresh()
        store.change = lambda: disk.declare("")
        assert (await refresher.refresh()).appeared == set()
