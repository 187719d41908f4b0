"""Keeps a mirror true while a server runs, off its event loop, and says when the store fails."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from serving.errors import ModelRejected, StoreFailed
from serving.models.lifecycle.complaints import Complaints
from serving.models.repository import Repository
from serving.models.stores.address import directory_of
from serving.models.stores.follower import Follower, Round
from serving.models.stores.mirror import Mirror
from serving.models.stores.shelf import Version
from serving.models.stores.store import Store

Follow = Callable[[Collection[Version]], Round]
Result = TypeVar("Result")

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
"""A store from which nothing comes for so long is taken to be out, whatever its library waits for."""


class Observer(Protocol):
    """Told what the keeper finds."""

    def bytes_fetched(self, count: int) -> None: ...
    def store_answered(self, refused_versions: int) -> None: ...
    def store_failed(self) -> None: ...


class Keeper:
    """A mirror, and the thread that works on it."""

    def __init__(
        self, store: Store, models: Path, follow: Follow, observer: Observer, patience: float = PATIENCE_SECONDS
    ) -> None:
        """`follow` does one round, and blocks; see Follower.follow."""
        self.models = models
        """What a repository is loaded from."""
        self.failure = ""
        """Why the store cannot be read now; empty where it can."""
        self.troubles: Mapping[Version, str] = {}
        """Versions of the store that are not in `models`, and why."""
        self._store = store
        self._follow = follow
        self._observer = observer
        self._patience = patience
        self._bytes = 0
        self._complaints = Complaints(log)
        self._strays: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()
        self._round: asyncio.Future[Round] | None = None

    @classmethod
    def of(cls, address: str, cache: Path, settle_seconds: float, observer: Observer) -> "Keeper":
        """Mirrors the store at `address` into a directory of its own in `cache`.

        Raises StoreFailed where the library of the store is not installed, OSError where `cache` cannot be written to.
        """
        store = Store(address)
        mirror = Mirror(directory_of(address, cache), store)
        follower = Follower(store, mirror, time.monotonic, settle_seconds)
        return cls(store, mirror.models, follower.follow, observer)

    async def sync(self, in_use: Collection[Version] = ()) -> None:
        """A round that begins after this call. Where the store or the disk fails, everything that is mirrored stays,
        and `failure` says why; the round of a store that hangs is waited for by the next call. The files of versions
        `in_use` stay.
        """
        async with self._turn:
            if self._round is None or await self._ends_well(self._round):
                self._round = _in_a_thread(lambda: self._follow(in_use))
                await self._ends_well(self._round)

    async def look(self, repository: Repository) -> Mapping[Version, str]:
        """A round that begins after this call, while versions that are in `repository` are in use. Gives `troubles`.
        Raises StoreFailed where that fails.
        """
        await self.sync({Version(servable.name, servable.version) for servable in repository.servables})
        if self.failure:
            raise StoreFailed(self.failure)
        return self.troubles

    async def run(self, poll_seconds: float, repository: Repository) -> None:
        """Looks every `poll_seconds`, until it is cancelled."""
        while True:
            await asyncio.sleep(poll_seconds)
            with suppress(StoreFailed):  # it is told, and in `failure`
                await self.look(repository)

    async def _ends_well(self, running: asyncio.Future[Round]) -> bool:
        """Waits for a round, and tells what comes of it."""
        try:
            done = await self._outcome(running)
        except (StoreFailed, ModelRejected, OSError) as error:
            self._failed(str(error))
        except Exception as error:
            log.exception("a round over %s failed as none should", self._store.address)
            self._failed(repr(error))
        else:
            self._answered(done)
        self._observer.bytes_fetched(self._store.bytes_read - self._bytes)
        self._bytes = self._store.bytes_read
        return not self.failure

    async def _outcome(self, running: asyncio.Future[Round]) -> Round:
        """What comes of a round. Raises StoreFailed where nothing has come for as long as one is patient."""
        before = -1
        while self._store.bytes_read != before:
            before = self._store.bytes_read
            ended, _ = await asyncio.wait({running}, timeout=self._patience)
            if ended:
                self._round = None
                return running.result()
        raise StoreFailed(
            f"Something comes from a store every {self._patience:g} s; from {self._store.address} nothing has. "
            "It is waited for; look at the network."
        )

    def _failed(self, reason: str) -> None:
        if not self.failure:
            log.error("Models are served as they were mirrored before: %s", reason)
        self.failure = reason
        self._observer.store_failed()

    def _answered(self, done: Round) -> None:
        if self.failure:
            log.info("%s answers again", self._store.address)
        self.failure = ""
        for version in done.fetched:
            log.info("%s version %s was fetched", *version)
        for version in done.hidden:
            log.info("%s version %s is mirrored no more", *version)
        absent = {**done.refused, **done.unread}
        self._complaints.are(
            {f"{name} version {number} is not mirrored": why for (name, number), why in absent.items()}
            | {f"{key} stays as it was": why for key, why in done.unread_labels.items()}
        )
        for key in done.strays - self._strays:
            log.warning("A key of a store names a file below a model; %r does not, and is left there", key)
        self.troubles = {**done.waiting, **absent}
        self._strays = done.strays
        self._observer.store_answered(len(absent))


def _in_a_thread(work: Callable[[], Result]) -> asyncio.Future[Result]:
    """What `work` gives. Its thread keeps no process from ending: the library of a store may hang for ever."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Result] = loop.create_future()

    def settle(give: Callable[[], None]) -> None:
        if not outcome.done():
            give()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            end = partial(outcome.set_exception, error)
        else:
            end = partial(outcome.set_result, result)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, end)

    threading.Thread(target=run, name="store", daemon=True).start()
    return outcome
