"""The files that one server keeps in a directory, and that never take more than so many bytes."""

import io
import os
import socket
from collections.abc import Callable
from pathlib import Path

from serving.request_log import parts
from serving.request_log.names import PART, complete_files, name_of, writer_of
from serving.tfrecords import framed

_FILES = 16
"""The bytes of all files are shared out among so many, so that what goes for lack of room is a sixteenth."""


class RecordFiles:
    """Appends records to a file with a name that ends in .part, renames it once it is full, and removes the oldest.

    Servers may share a directory. Each writes files of its own, and holds within its bound those and the files of
    servers that have gone; who writes still is told by the lock on its part.
    """

    def __init__(self, directory: Path, max_bytes: int, clock: Callable[[], int], writer: str | None = None) -> None:
        """`clock` gives nanoseconds since 1970. `writer` tells this server from others, by default by host and
        process.
        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._clock = clock
        self._writer = writer or f"{socket.gethostname()}-{os.getpid()}"
        self._part: io.FileIO | None = None
        self._path = directory
        self._size = 0

    def recover(self) -> None:
        """Completes what servers that were killed have left. Raises OSError."""
        parts.complete_those_left(self._directory)

    def append(self, record: bytes) -> None:
        """Writes one record, whole or not at all. Raises OSError, after which the next is tried anew, and ValueError
        for a record that is longer than all files may be.
        """
        data = framed(record)
        if len(data) > self._max_bytes:
            raise ValueError(f"A record has to fit into {self._max_bytes} bytes; {len(data)} came. Allow for more.")
        if self._part and self._size + len(data) > self._max_bytes // _FILES:
            self.close()
        part = self._part or self._begin(len(data))
        try:
            _write(part, data)
        except OSError:
            self._part = None
            part.close()  # and so nobody's: it is cut off and completed before the next is begun
            raise
        self._size += len(data)

    def close(self) -> None:
        """Completes the file that is being written. Raises OSError."""
        part, self._part = self._part, None
        if part:
            with part:
                parts.complete(self._path)

    def _begin(self, wanted: int) -> io.FileIO:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._make_room(max(wanted, self._max_bytes // _FILES))
        self._path = self._directory / f"{name_of(self._clock(), self._writer)}{PART}"
        self._size = 0
        self._part = parts.begin(self._path)
        return self._part

    def _make_room(self, wanted: int) -> None:
        others = {writer_of(part) for part in parts.complete_those_left(self._directory)} - {self._writer}
        files = [path for path in complete_files(self._directory) if writer_of(path) not in others]
        sizes = {path: size for path in files if (size := _size(path)) is not None}
        total = sum(sizes.values())
        for path, size in sizes.items():
            if total + wanted <= self._max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


def _write(part: io.FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[part.write(left) :]


def _size(path: Path) -> int | None:
    """None where another server has removed it, to make room too."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
