"""Reads a store through fsspec."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from serving.errors import ModelRejected, StoreFailed
from serving.models.stores.shelf import Entry, Shelf, arrange

MAX_FILES = 100_000
"""Below a store's prefix."""
_CHUNK = 8 * 2**20

_OPTIONS: Mapping[str, dict[str, Any]] = {
    # botocore's own retries, with backoff and jitter.
    "s3": {
        "config_kwargs": {
            "connect_timeout": 5,
            "read_timeout": 20,
            "retries": {"mode": "standard", "max_attempts": 3},
        }
    }
}
_TAGS = ("ETag", "etag", "md5Hash", "generation", "mtime", "created", "LastModified", "last_modified")


class Store:
    """A prefix of a store. Blocks; what fails raises StoreFailed, whichever library it comes from."""

    def __init__(self, address: str) -> None:
        """Opens no connection. Raises StoreFailed where what the scheme needs is not installed."""
        self.address = address
        self.bytes_read = 0
        """Of all files so far. Other threads may look."""
        try:
            import fsspec

            options = _OPTIONS.get(address.partition("://")[0], {})
            self._files, self._prefix = fsspec.url_to_fs(
                address, skip_instance_cache=True, use_listings_cache=False, **options
            )
        except (ImportError, ValueError) as error:
            raise StoreFailed(
                f"Models in {address} need a library that reads it ({error}). "
                'Install it (pip install "tencrop[stores]" for s3://, gcsfs for gs://), or name a directory.'
            ) from error
        self._prefix = self._prefix.rstrip("/")

    def list(self) -> Shelf:
        """Everything below the prefix. Raises StoreFailed where that is no model at all."""
        try:
            self._files.invalidate_cache()
            found = self._files.find(self._prefix, detail=True)
        except Exception as error:
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

        Raises ModelRejected where it has not the listed size; no more than that is read.
        """
        try:
            source = self._files.open(f"{self._prefix}/{key}", "rb", block_size=_CHUNK)
        except Exception as error:
            raise self._failed("read", error) from error
        with source:
            left = entry.bytes
            while chunk := self._read(source, min(left + 1, _CHUNK)):
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

    def _read(self, source: BinaryIO, size: int) -> bytes:
        try:
            return source.read(size)
        except Exception as error:
            raise self._failed("read", error) from error

    def _key(self, path: str) -> str:
        return path.removeprefix(self._prefix).removeprefix("/")

    def _failed(self, done: str, error: Exception) -> StoreFailed:
        return StoreFailed(
            f"A store is there to be {done}; {self.address} could not be: {type(error).__name__}: {error}. "
            "What is mirrored already goes on being served; look at the network and at the store's credentials."
        )


def _entry(about: Mapping[str, Any]) -> Entry:
    tag = next((str(about[name]) for name in _TAGS if about.get(name)), "")
    return Entry(int(about["size"] or 0), tag.strip('"'))
