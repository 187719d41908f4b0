"""Whether all files of a version have come, found without reading more than its card. The clock is handed in."""

import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from cachetools import LRUCache

from serving.errors import ModelRejected
from serving.models import card as cards

_MOST_WAITING = 10_000
"""Versions that may settle at a time."""
_SHARD = re.compile(r"variables\.data-\d{5}-of-(\d{5})")

Look = tuple[tuple[str, int, int], ...]
"""Path, size and time of change, in nanoseconds, of every file."""


def look(directory: Path) -> Look:
    """Another one whenever a file below `directory` came, went or was written to."""
    return tuple(
        sorted(
            (path.relative_to(directory).as_posix(), status.st_size, status.st_mtime_ns)
            for path, status in _files(directory)
        )
    )


class _Still(NamedTuple):
    """How a directory looks, and since when."""

    look: Look
    since: float


class Completeness:
    """Tells versions that are still being copied from whole ones, as they are asked after again and again.

    With a card, a version is whole once every file that this lists has the size that it lists; whether the bytes are
    right is for card.validate. Without one it is whole, as far as anybody can tell, once it holds a graph with its
    variables and has settled: nothing of it has changed for a while. So is one whose card cannot be read, so that it is
    refused for that.
    """

    def __init__(self, settle_seconds: float, clock: Callable[[], float], file_clock: Callable[[], float]) -> None:
        """`file_clock` is what files are dated by; `clock` may only go forward."""
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._file_clock = file_clock
        self._seen: LRUCache[Path, _Still] = LRUCache(_MOST_WAITING)  # some go before they are whole

    def lacks(self, directory: Path) -> str:
        """What the version in `directory` waits for; empty where it is complete."""
        try:
            card = cards.read(directory)
        except ModelRejected:
            has_card = (directory / cards.CARD_PATH).exists()
            return self._lacks_time(directory) if has_card else self.lacks_without_card(directory)
        return next((reason for file in card.files if (reason := _missing(directory / file.path, file.bytes))), "")

    def lacks_without_card(self, directory: Path) -> str:
        """The same of a version that has no card; empty too of one that has, for its card will be held against it."""
        if (directory / cards.CARD_PATH).exists():
            return ""
        missing = _missing_of_a_saved_model(directory)
        return f"{missing} is not there yet" if missing else self._lacks_time(directory)

    def _lacks_time(self, directory: Path) -> str:
        now, current = self._clock(), look(directory)
        seen = self._seen.setdefault(directory, _Still(current, now - self._age(directory)))
        if seen.look != current:
            seen = self._seen[directory] = _Still(current, now)
        if now - seen.since < self._settle_seconds:
            return "its files change still, and no card says which are all"
        del self._seen[directory]  # it is asked after no more
        return ""

    def _age(self, directory: Path) -> float:
        """The seconds since a file of it was written or renamed, which no copying can set back."""
        newest = max((status.st_ctime for _, status in _files(directory)), default=math.inf)
        return max(0.0, self._file_clock() - newest)


def _files(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            try:
                yield path, path.stat()
            except FileNotFoundError:  # it went meanwhile
                continue


def _missing_of_a_saved_model(directory: Path) -> str:
    """A file that any SavedModel has, or that the names of others promise, and that is not there; empty for none."""
    if not (directory / cards.GRAPH_FILE).exists():
        return cards.GRAPH_FILE
    there = {path.name for path in directory.glob("variables/variables.*")}
    if not there:  # a network may have none; what the graph says is for whoever loads it
        return ""
    counts = {int(shard[1]) for name in there if (shard := _SHARD.fullmatch(name))} or {1}
    shards = {f"variables.data-{number:05}-of-{count:05}" for count in counts for number in range(count)}
    return min({"variables.index", *shards} - there, default="")


def _missing(path: Path, size: int) -> str:
    try:
        has = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return f"{path.name} is not there yet"
    return "" if has == size else f"{path.name} has {has} of {size} bytes yet"
