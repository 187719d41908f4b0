"""A directory of TFRecord files that never takes more than so many bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from serving.tfrecords import framed

COMPLETE = "requests-*.tfrecord"
_ALL = "requests-*"
_FILES = 16
"""The bytes of all files are shared out among so many, so that what goes for lack of room is a sixteenth."""


class RecordFiles:
    """Appends records to a file with a name that ends in .part, renames it once it is full, and removes the oldest.

    Names begin with a moment, so that those of several servers, one after the other, stand in order. At a time, a
    directory is one server's.
    """

    def __init__(self, directory: Path, max_bytes: int, clock: Callable[[], int]) -> None:
        """`clock` gives nanoseconds since 1970."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._clock = clock
        self._file: BinaryIO | None = None
        self._path = directory
        self._size = 0

    def append(self, record: bytes) -> None:
        """Writes one record, whole or not at all. Raises OSError, after which the next is tried anew, and ValueError
        for a record that is longer than all files may be.
        """
        data = framed(record)
        if len(data) > self._max_bytes:
            raise ValueError(f"A record has to fit into {self._max_bytes} bytes; {len(data)} came. Allow for more.")
        if self._file and self._size + len(data) > self._max_bytes // _FILES:
            self.close()
        file = self._file or self._open(len(data))
        try:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            self._size += len(data)
        except OSError:
            file.seek(file.truncate(self._size))
            raise

    def close(self) -> None:
        """Completes the file that is being written. Raises OSError."""
        if self._file:
            file, self._file = self._file, None
            file.close()
            self._path.rename(self._path.with_suffix(""))

    def _open(self, wanted: int) -> BinaryIO:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._make_room(max(wanted, self._max_bytes // _FILES))
        self._path = self._directory / f"requests-{self._clock()}.tfrecord.part"
        self._size = 0
        self._file = self._path.open("xb", buffering=0)
        return self._file

    def _make_room(self, wanted: int) -> None:
        files = sorted(self._directory.glob(_ALL))
        sizes = {path: path.stat().st_size for path in files}
        total = sum(sizes.values())
        for path in files:
            if total + wanted <= self._max_bytes:
                return
            path.unlink()
            total -= sizes[path]
