"""A look at once, for whoever has published something and says so."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from serving.errors import ModelRejected, NotServed
from serving.models.lifecycle.inventory import Inventory
from serving.models.lifecycle.manager import Manager
from serving.models.stores.shelf import Version

Sync = Callable[[], Awaitable[Mapping[Version, str]]]
"""Has the directory say what a store says, and gives the versions of the store that are not there, and why. Raises
StoreFailed."""


@dataclass(frozen=True)
class Found:
    """What a look found that the one before had not."""

    appeared: frozenset[Version]
    """Those that are new, or have other files."""
    gone: frozenset[Version]
    waiting: Mapping[Version, str]
    """Those that are there and cannot be served yet, or not at all, and why."""

    def of(self, model: str) -> "Found":
        """As far as it is of `model`."""
        return Found(
            frozenset(each for each in self.appeared if each.model == model),
            frozenset(each for each in self.gone if each.model == model),
            {each: why for each, why in self.waiting.items() if each.model == model},
        )


class Refresher:
    """Looks when it is told to."""

    def __init__(self, manager: Manager, sync: Sync | None) -> None:
        """`sync` is called first; None where models are in a directory."""
        self._manager = manager
        self._sync = sync
        self._alone = asyncio.Lock()
        self._coming: asyncio.Task[Found] | None = None

    async def refresh(self, model: str = "") -> Found:
        """What a look finds that begins after this call; those who call before it begins share it. With `model`, what
        it finds of that.

        Raises NotServed where nothing lies there under that name, StoreFailed where the store cannot be read, and
        ModelRejected where the directory cannot be.
        """
        self._coming = self._coming or asyncio.create_task(self._look())
        found = await asyncio.shield(self._coming)
        if not model:
            return found
        if not (self._manager.on_disk(model) or (about := found.of(model)).gone or about.waiting):
            raise NotServed(f"A model has to lie where models are; nothing of {model!r} does. Publish a version of it.")
        return found.of(model)

    async def _look(self) -> Found:
        async with self._alone:
            self._coming = None  # whoever calls from here on may have published since
            before = self._manager.inventory
            absent = await self._sync() if self._sync else {}
            if unread := await self._manager.look():
                raise ModelRejected(unread)
            return _difference(before, self._manager.inventory, absent)


def _difference(before: Inventory, now: Inventory, absent: Mapping[Version, str]) -> Found:
    was, there = _versions(before), _versions(now)
    appeared = frozenset(version for version, files in there.items() if was.get(version) != files)
    incomplete = {Version(name, version): why for name, each in now.incomplete.items() for version, why in each.items()}
    return Found(appeared, frozenset(was.keys() - there.keys()), {**incomplete, **absent})


def _versions(inventory: Inventory) -> dict[Version, object]:
    return {Version(name, version): files for name, each in inventory.models.items() for version, files in each.items()}
