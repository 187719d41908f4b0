"""Values read from files that are renewed while the server runs: tokens, certificates."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from serving.errors import LockRejected

log = logging.getLogger(__name__)

Value = TypeVar("Value")

_SECONDS = 1.0
"""Files are looked at no more often than this."""


class Renewed(Generic[Value]):
    """What files hold now. Safe to share between threads.

    Files that cannot be read, or make no sense, leave the value that was; the log says so, once a change.
    """

    def __init__(self, paths: Sequence[Path], read: Callable[[], Value], clock: Callable[[], float]) -> None:
        """`read()` makes the value of the files at `paths`, and raises OSError or LockRejected where it cannot; so does
        this.
        """
        self._paths = paths
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._seen = self._stamps()
        self._looked = clock()
        self._value = read()

    @property
    def current(self) -> Value:
        """The value, read again where a file has changed."""
        with self._lock:
            if self._clock() - self._looked >= _SECONDS:
                self._looked = self._clock()
                self._look()
            return self._value

    def _look(self) -> None:
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        names = ", ".join(map(str, self._paths))
        try:
            self._value = self._read()
        except (OSError, LockRejected) as error:
            log.error("%s changed and cannot be read, so what it said before still holds: %s", names, error)
        else:
            log.info("%s changed and was read again", names)

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in self._paths]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from its successor, links followed; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
