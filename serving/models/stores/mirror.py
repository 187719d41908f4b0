"""A directory that looks as a repository does, and holds what a store has.

    contents/NAME/VERSION-IDENTITY/files/      a version's files, whole, and never changed afterwards
                                  listing.json how the store listed them
    models/NAME/VERSION                        a link to such files: what a repository sees
    models/models.yaml
    models/NAME/labels/LABEL                   a file that gives a label
    incoming/                                  what is being fetched

Whatever ends the process at whatever step, a version in models/ is whole: its files are complete, held against its card
and on the disk before they get their name, and the link to them is set in one step. What such an end leaves in
incoming/ and contents/ goes at the next start.
"""

import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from serving.errors import ModelRejected
from serving.models import card as cards
from serving.models.stores.address import SHOWN
from serving.models.stores.beside import Beside, remove_if_empty
from serving.models.stores.shelf import Entry, Files, Version, identity
from serving.models.stores.store import Store

MAX_VERSION_FILES = 10_000
MAX_VERSION_BYTES = 64 * 2**30
_CARD = cards.CARD_PATH.as_posix()


class Incomplete(Exception):
    """A version whose upload has not ended. The message says what is missing."""


class NoRoom(Exception):
    """A version that the disk cannot take. The message says how many bytes it needs."""


class Mirror:
    """The directory. Everything here blocks."""

    def __init__(self, root: Path, store: Store) -> None:
        """Below `root`, which is made where it is missing. Raises OSError where it cannot be written to."""
        self.models = root / SHOWN
        self._contents, self._incoming, self._lock = root / "contents", root / "incoming", root / "lock"
        self._store = store
        self.beside = Beside(self.models, self._incoming, store)
        for directory in (self.models, self._contents, self._incoming):
            directory.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other processes from changing the directory; waits for one that does."""
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for leftover in self._incoming.iterdir():  # of the dead
                shutil.rmtree(leftover)
            yield

    def shown(self) -> Mapping[Version, Files]:
        """The versions that a repository sees, and of each how its files were listed; no files where they were damaged
        since.
        """
        links = [link for link in self.models.glob("*/*") if link.is_symlink()]
        return {Version(link.parent.name, int(link.name)): _listing(link.resolve().parent) for link in links}

    def fetch(self, version: Version, files: Files) -> None:
        """Has the mirror show `version` as the store has it; files that the mirror has already are not read again.

        Raises Incomplete where not all of them are in the store yet, ModelRejected where they are not what the card
        lists or out of bounds, StoreFailed, NoRoom, and OSError where the disk is at fault otherwise. Then everything
        is as it was.
        """
        _check_listing(version, files)
        content = self._contents / version.model / f"{version.number}-{identity(files)}"
        if _listing(content) != files:
            with self._room_for(version, files), self._staging() as staging:
                self._fill(staging, version, files)
                shutil.rmtree(content, ignore_errors=True)  # damaged, or it would not be fetched
                content.parent.mkdir(exist_ok=True)
                staging.rename(content)
                _sync(content.parent)
        self._show(version, content / "files")

    def hide(self, version: Version) -> None:
        """A repository sees `version` no more; its files stay until `clear`."""
        link = self.models / version.model / str(version.number)
        link.unlink()
        remove_if_empty(link.parent)

    def clear(self, in_use: Collection[Version]) -> None:
        """Removes files that nothing leads to any more, but for those of versions `in_use`."""
        linked = {link.resolve().parent for link in self.models.glob("*/*") if link.is_symlink()}
        for content in self._contents.resolve().glob("*/*"):
            version = Version(content.parent.name, int(content.name.partition("-")[0]))
            if content not in linked and version not in in_use:
                shutil.rmtree(content)

    def _fill(self, staging: Path, version: Version, files: Files) -> None:
        """Writes into `staging` what a content directory holds."""
        target = staging / "files"
        known = self.models / version.model / str(version.number)
        known_files = self.shown().get(version, {})
        # The card first: where files are missing, nothing else is read.
        for path in sorted(files, key=lambda path: path != _CARD):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            if known_files.get(path) == files[path]:
                os.link(known / path, target / path)
            else:
                self._copy(f"{version.model}/{version.number}/{path}", files[path], target / path)
            if path == _CARD:
                _check_complete(cards.read(target), files)
        if _CARD in files:
            cards.check_files(cards.read(target).files, target)
        (staging / "listing.json").write_text(json.dumps(files, indent=1))
        for directory in (*target.rglob("*"), target, staging / "listing.json", staging):
            _sync(directory)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A directory for the block, which may move it elsewhere."""
        staging = Path(tempfile.mkdtemp(dir=self._incoming))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    @contextmanager
    def _room_for(self, version: Version, files: Files) -> Iterator[None]:
        """The block writes `files`. Raises NoRoom, before anything is read where that is plain: a disk that stays full
        is not filled again at each round.
        """
        known = self.shown().get(version, {})
        needed = sum(entry.bytes for path, entry in files.items() if known.get(path) != entry)
        free = shutil.disk_usage(self._incoming).free
        rule = (
            f"A version is mirrored where there is room for it; version {version.number} of {version.model!r} needs "
            f"{needed} bytes in {self._incoming.parent}"
        )
        way_out = "Make room, or name another cache_directory."
        if free < needed:
            raise NoRoom(f"{rule}, and {free} are free. {way_out}")
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise NoRoom(f"{rule}, and before they were there it said: {error.strerror}. {way_out}") from error

    def _copy(self, key: str, entry: Entry, target: Path) -> None:
        with target.open("xb") as file:
            self._store.copy(key, entry, file)

    def _show(self, version: Version, files: Path) -> None:
        """Sets the link to `files`, in one step."""
        link = self.models / version.model / str(version.number)
        link.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._incoming) as staging:
            fresh = Path(staging, link.name)
            fresh.symlink_to(os.path.relpath(files, link.parent))
            fresh.replace(link)
        _sync(link.parent)


def _listing(content: Path) -> Files:
    """How the files in `content` were listed; none where they are not there as they were listed."""
    try:
        listed = json.loads((content / "listing.json").read_text())
        files = {path: Entry(*entry) for path, entry in listed.items()}
        whole = all((content / "files" / path).stat().st_size == entry.bytes for path, entry in files.items())
    except (FileNotFoundError, ValueError):
        return {}
    return files if whole else {}


def _check_listing(version: Version, files: Files) -> None:
    """Raises ModelRejected where no directory could hold `files`, or none should."""
    total = sum(entry.bytes for entry in files.values())
    if len(files) > MAX_VERSION_FILES or total > MAX_VERSION_BYTES:
        raise ModelRejected(
            f"A version has at most {MAX_VERSION_FILES} files of {MAX_VERSION_BYTES} bytes together; version "
            f"{version.number} of {version.model!r} has {len(files)} of {total}. Publish it without what is no model."
        )
    directories = {parent.as_posix() for path in files for parent in PurePosixPath(path).parents}
    if both := directories & files.keys():
        raise ModelRejected(
            f"A name is a file's or a directory's; version {version.number} of {version.model!r} has {min(both)!r} as "
            "both. Upload the version again, without the file."
        )


def _check_complete(card: cards.ModelCard, files: Files) -> None:
    """Raises Incomplete where a file that `card` lists is not there, or has another size."""
    for file in card.files:
        if (entry := files.get(file.path)) is None or entry.bytes != file.bytes:
            has = "is not there" if entry is None else f"has {entry.bytes} bytes"
            raise Incomplete(
                f"A whole version has {file.path!r} of {file.bytes} bytes; it {has} yet. Wait, or upload it."
            )


def _sync(path: Path) -> None:
    """The file's content, or the directory's names, are on the disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
