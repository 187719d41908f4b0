"""Carries what lies beside the versions into a mirror: models.yaml, cards of ensembles, and files that give labels."""

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from serving.errors import ModelRejected
from serving.models.lifecycle import label_files
from serving.models.lifecycle.orders import ORDERS
from serving.models.stores.shelf import Entry, Files
from serving.models.stores.store import FileFailed, Store

_MAX_BYTES = 4 * 2**20


class Brought(NamedTuple):
    """Files of the store, before a repository sees them."""

    directory: Path
    unread: Mapping[str, str]
    """Keys of labels' files that cannot be read and stay as they were, and why."""


class Beside:
    """The files beside the versions of a mirror. Everything here blocks."""

    def __init__(self, models: Path, incoming: Path, store: Store) -> None:
        """A repository sees `models`; `incoming` is on the same disk."""
        self._models, self._incoming, self._store = models, incoming, store
        self._labels: Files = {}

    @contextmanager
    def brought(self, files: Files, labels: Files) -> Iterator[Brought]:
        """The `files` that the store has, and those that give `labels`, of which no more is read than shows that they
        give none. Once the block ends well, a repository sees them, each set in one step, and no others but the
        administrators' orders.

        Raises ModelRejected where one of `files` is out of bounds, StoreFailed, and OSError where the disk is at fault.
        """
        with tempfile.TemporaryDirectory(dir=self._incoming) as staging:
            for name, entry in files.items():
                self._bring(name, entry, Path(staging, name))
            unread = {}
            for key, entry in labels.items():
                try:
                    self._bring_label(key, entry, Path(staging, key))
                except FileFailed as error:
                    unread[key] = str(error)
            yield Brought(Path(staging), unread)
            for key in (*files, *(labels.keys() - unread.keys())):
                (self._models / key).parent.mkdir(parents=True, exist_ok=True)
                Path(staging, key).replace(self._models / key)
        self._labels = {key: entry for key, entry in labels.items() if key not in unread}
        self._remove_all_but({*files, *labels, ORDERS})

    def _bring(self, name: str, entry: Entry, target: Path) -> None:
        if entry.bytes > _MAX_BYTES:
            raise ModelRejected(
                f"A file beside the models has at most {_MAX_BYTES} bytes; {name!r} has {entry.bytes}. "
                "Move what is no declaration elsewhere."
            )
        with target.open("xb") as file:
            self._store.copy(name, entry, file)

    def _bring_label(self, key: str, entry: Entry, target: Path) -> None:
        """One that has not changed is not read again."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._labels.get(key) == entry and (self._models / key).exists():
            os.link(self._models / key, target)
        else:
            target.write_bytes(self._store.head(key, entry, label_files.MAX_BYTES + 1))

    def _remove_all_but(self, kept: Collection[str]) -> None:
        labels = list(self._models.glob(f"*/{label_files.FOLDER}/*"))
        for path in (*self._models.iterdir(), *labels):
            if path.is_file() and path.relative_to(self._models).as_posix() not in kept:
                path.unlink()
        for directory in {path.parent for path in labels}:
            remove_if_empty(directory)
            remove_if_empty(directory.parent)


def remove_if_empty(directory: Path) -> None:
    """Removes the directory unless something is in it."""
    if not any(directory.iterdir()):
        directory.rmdir()
