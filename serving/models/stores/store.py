"""Reads a store through fsspec."""

import errno
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, BinaryIO

from serving.errors import ModelRejected, StoreFailed
from serving.models.stores import libraries
from serving.models.stores.shelf import Entry, Shelf, arrange

MAX_FILES = 100_000
"""Below a store's prefix."""
_CHUNK = 8 * 2**20

_TAGS = ("ETag", "etag", "md5Hash", "generation", "mtime", "created", "LastModified", "last_modified")


class FileFailed(StoreFailed):
    """One file of a store cannot be read, or not as it was listed. Others may be."""


class Store:
    """A prefix of a store. Blocks; what fails raises StoreFailed, whichever library it comes from."""

    def __init__(self, address: str) -> None:
        """Opens no connection. Raises StoreFailed where what the scheme needs is not installed."""
        self.address = address
        self.bytes_read = 0
        """Of all files so far. Other threads may look."""
        libraries.check_installed(address)

    def list(self) -> Shelf:
        """Everything below the prefix. Raises StoreFailed where that is no model at all."""
        try:
            self._files.invalidate_cache()
            found = self._files.find(self._prefix, detail=True)
        except Exception as error:
            self._disconnect()  # its library reads credentials when it connects, and others may be there by then
            raise self._failed("listed", error) from error
        if len(found) > MAX_FILES:
            raise StoreFailed(
                f"A store of models has at most {MAX_FILES} files; {self.address} has {len(found)}. "
                "Name a prefix that has models only."
            )
        shelf = arrange((self._key(path), _entry(about)) for path, about in found.items())
        if not shelf.versions:
            raise StoreFailed(
                f"A store holds models as NAME/VERSION/; {self.address} lists none, of {len(found)} files. "
                "Upload one, or name another prefix."
            )
        return shelf

    def copy(self, key: str, entry: Entry, target: BinaryIO) -> None:
        """Writes the file under `key` to `target`.

        Raises ModelRejected where it has not the listed size; no more than that is read. Raises FileFailed where it
        cannot be read, or has changed since it was listed.
        """
        try:
            source = self._files.open(self._path(key), "rb", block_size=_CHUNK, cache_type="readahead")
        except Exception as error:
            raise self._unread(key, error) from error
        with source:
            left = entry.bytes
            while chunk := self._read(key, source, min(left + 1, _CHUNK)):
                left -= len(chunk)
                if left < 0:
                    break
                target.write(chunk)
                self.bytes_read += len(chunk)
        if left:
            raise ModelRejected(
                f"A file has the size that its store lists; {key!r} in {self.address}, of {entry.bytes} bytes, "
                f"{'has more' if left < 0 else f'ends {left} bytes before'}. Upload the version again."
            )
        self._check_as_listed(key, entry)

    def head(self, key: str, entry: Entry, most: int) -> bytes:
        """The file under `key`, or as many bytes as `most` of it. Raises FileFailed where it cannot be read."""
        try:
            content = self._files.cat_file(self._path(key), start=0, end=min(entry.bytes, most)) if entry.bytes else b""
        except Exception as error:
            raise self._unread(key, error) from error
        self.bytes_read += len(content)
        return content

    @cached_property
    def _connected(self) -> tuple[Any, str]:
        """Opens no connection to the store: the library does, when it is first asked."""
        return libraries.connected(self.address)

    def _disconnect(self) -> None:
        self.__dict__.pop("_connected", None)

    @property
    def _files(self) -> Any:
        return self._connected[0]

    @property
    def _prefix(self) -> str:
        return self._connected[1]

    def _read(self, key: str, source: BinaryIO, size: int) -> bytes:
        try:
            return source.read(size)
        except Exception as error:
            raise self._unread(key, error) from error

    def _check_as_listed(self, key: str, entry: Entry) -> None:
        """Raises FileFailed where the file is another than was listed; what was read may be some of both."""
        try:
            now = _entry(self._files.info(self._path(key)))
        except Exception as error:
            raise self._unread(key, error) from error
        if now.tag != entry.tag:
            raise FileFailed(
                f"A file stays as it was listed while it is read; {key!r} in {self.address} changed. It is read again "
                "at the next look; publish another version instead."
            )

    def _path(self, key: str) -> str:
        return f"{self._prefix}/{key}"

    def _key(self, path: str) -> str:
        return path.removeprefix(self._prefix).removeprefix("/")

    def _unread(self, key: str, error: Exception) -> StoreFailed:
        if not _is_of_one_file(error):
            return self._failed("read", error)
        return FileFailed(
            f"A file that a store lists can be read; {key!r} in {self.address} cannot be: {type(error).__name__}: "
            f"{error}. Look at who may read it, or upload the version again."
        )

    def _failed(self, done: str, error: Exception) -> StoreFailed:
        return StoreFailed(
            f"A store is there to be {done}; {self.address} could not be: {type(error).__name__}: {error}. "
            "What is mirrored already goes on being served; look at the network, the store's credentials and "
            "this machine's clock."
        )


def _is_of_one_file(error: Exception) -> bool:
    """Whether another file of the same store may well be read."""
    if isinstance(error, FileNotFoundError | PermissionError) or getattr(error, "errno", None) == errno.EBUSY:
        return True
    return type(error) is OSError and str(error).startswith("Forbidden: ")  # gcsfs's PermissionError


def _entry(about: Mapping[str, Any]) -> Entry:
    tag = next((about[name] for name in _TAGS if about.get(name)), "")
    text = str(tag.timestamp() if isinstance(tag, datetime) else tag)  # a library may list it as either
    return Entry(int(about["size"] or 0), text.strip('"'))
