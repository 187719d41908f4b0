"""Whether all files of a version have come, found without reading more than its card. The clock is handed in."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from serving.errors import ModelRejected
from serving.models import card as cards

Look = tuple[tuple[str, int, int], ...]
"""Path, size and time of change, in nanoseconds, of every file."""


def look(directory: Path) -> Look:
    """Another one whenever a file below `directory` came, went or was written to."""
    files = []
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            try:
                status = path.stat()
            except FileNotFoundError:  # it went meanwhile
                continue
            files.append((path.relative_to(directory).as_posix(), status.st_size, status.st_mtime_ns))
    return tuple(sorted(files))


class _Still(NamedTuple):
    """How a directory looks, and since when."""

    look: Look
    since: float


class Completeness:
    """Tells versions that are still being copied from whole ones, as they are asked after again and again.

    With a card, a version is whole once every file that this lists has the size that it lists; whether the bytes are
    right is for card.validate. Without one it is whole, as far as anybody can tell, once it holds a graph and has
    settled: nothing of it has changed for a while. So is one whose card cannot be read, so that it is refused for that.
    """

    def __init__(self, settle_seconds: float, clock: Callable[[], float]) -> None:
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._seen: dict[Path, _Still] = {}

    def lacks(self, directory: Path) -> str:
        """What the version in `directory` waits for; empty where it is complete."""
        settled = self._has_settled(directory)
        try:
            card = cards.read(directory)
        except ModelRejected:
            has_card = (directory / cards.CARD_PATH).exists()
            if not has_card and not (directory / cards.GRAPH_FILE).exists():
                return f"{cards.GRAPH_FILE} is not there yet"
            return "" if settled else "its files change still, and no card says which are all"
        return next((reason for file in card.files if (reason := _missing(directory / file.path, file.bytes))), "")

    def forget(self, directory: Path) -> None:
        """The version is asked after no more."""
        self._seen.pop(directory, None)

    def _has_settled(self, directory: Path) -> bool:
        now, seen, current = self._clock(), self._seen.get(directory), look(directory)
        if seen is None or seen.look != current:
            seen = self._seen[directory] = _Still(current, now)
        return now - seen.since >= self._settle_seconds


def _missing(path: Path, size: int) -> str:
    try:
        has = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return f"{path.name} is not there yet"
    return "" if has == size else f"{path.name} has {has} of {size} bytes yet"
