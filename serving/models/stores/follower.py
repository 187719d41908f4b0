"""One round after another: what a store lists is held against a mirror, fetched, shown and hidden."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from serving.errors import ModelRejected
from serving.models.declaration import read_declaration
from serving.models.lifecycle.label_files import read_label_files
from serving.models.lifecycle.orders import read_orders
from serving.models.stores.beside import Brought
from serving.models.stores.mirror import Incomplete, Mirror, NoRoom
from serving.models.stores.planning import Seen, plan, wanted, watched
from serving.models.stores.shelf import Files, Shelf, Version
from serving.models.stores.store import FileFailed, Store


class Round(NamedTuple):
    """What came of a round."""

    fetched: list[Version]
    hidden: list[Version]
    waiting: Mapping[Version, str]
    """Versions whose upload has not ended, and why that is thought."""
    refused: Mapping[Version, str]
    """Versions that are no models, and why."""
    unread: Mapping[Version, str]
    """Versions of which a file cannot be read, or that the disk has no room for, and why."""
    unread_labels: Mapping[str, str]
    """Keys of labels' files that cannot be read, and why."""
    strays: frozenset[str]
    """Keys of files that are not fetched, since they would lead out of the mirror."""


class Follower:
    """Has a mirror follow a store. Everything here blocks, and is called from one thread at a time."""

    def __init__(self, store: Store, mirror: Mirror, clock: Callable[[], float], settle_seconds: float) -> None:
        """A version without a card is fetched once its files have been the same for `settle_seconds`."""
        self._store = store
        self._mirror = mirror
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._seen: Mapping[Version, Seen] = {}
        self._refused: dict[Version, tuple[Files, str]] = {}
        self._pinned: frozenset[Version] = frozenset()

    def follow(self, in_use: Collection[Version]) -> Round:
        """One round. The files of versions `in_use` stay, whatever the store lists.

        Raises StoreFailed, ModelRejected where a file beside the models is out of bounds, and OSError where the disk is
        at fault; what was fetched before is shown.
        """
        with self._mirror.alone():
            remote = self._store.list()
            with self._mirror.beside.brought(remote.beside, remote.labels) as brought:
                done = self._follow_versions(remote, brought, in_use)
            self._mirror.clear(in_use)
            return done

    def _follow_versions(self, remote: Shelf, brought: Brought, in_use: Collection[Version]) -> Round:
        local = self._mirror.shown()
        now = self._clock()
        self._seen = watched(self._seen, remote, local, now)
        self._refused = {v: known for v, known in self._refused.items() if remote.versions.get(v) == known[0]}
        self._pinned = self._pins(brought.directory, remote)
        chosen = wanted(remote, self._pinned, in_use)
        refused = {version: files for version, (files, _) in self._refused.items()}
        todo = plan(self._seen, remote, local, chosen, refused, now, self._settle_seconds)
        fetched: list[Version] = []
        unread: dict[Version, str] = {}
        waiting = dict.fromkeys(todo.settling, "without a card, its upload ends when no more files come")
        for version in todo.fetch:
            files = remote.versions[version]
            try:
                self._mirror.fetch(version, files)
                fetched.append(version)
            except Incomplete as missing:
                waiting[version] = str(missing)
            except (FileFailed, NoRoom) as error:
                unread[version] = str(error)
            except ModelRejected as error:
                self._refused[version] = files, str(error)
        for version in todo.hide:
            self._mirror.hide(version)
        reasons = {version: reason for version, (_, reason) in self._refused.items()}
        return Round(fetched, todo.hide, waiting, reasons, unread, brought.unread, remote.strays)

    def _pins(self, beside: Path, remote: Shelf) -> frozenset[Version]:
        """Versions that the store's models.yaml, files of labels or an administrator's orders want; the last that were
        known where those cannot be read.
        """
        try:
            declaration, orders = read_declaration(beside), read_orders(self._mirror.models)
        except ModelRejected:  # the repository that reads it says so
            return self._pinned
        numbers: dict[str, set[int]] = {}
        for model, number in remote.versions:
            numbers.setdefault(model, set()).add(number)

        def wanted_of(model: str) -> set[int]:
            by_policy = declaration.of_model(model).wants(numbers[model])
            labelled = read_label_files(beside / model).versions.values()
            return {*by_policy, *declaration.pinned_versions(model), *labelled, *orders.named_versions(model)}

        return frozenset(Version(model, number) for model in numbers for number in wanted_of(model))
