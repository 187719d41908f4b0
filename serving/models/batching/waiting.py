"""The calls that wait at one priority, the most urgent first. Pure."""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PATIENCE = 10.0
"""Seconds after which a call is as urgent as one whose deadline has come: so one without a deadline is overtaken
for a while and not for ever.
"""


def urgency_of(deadline: float, arrived: float) -> float:
    """Calls are taken in the order of these moments."""
    return min(deadline, arrived + PATIENCE)


class Scored(NamedTuple):
    """What a call gets back."""

    logits: NDArray[np.float32]
    """float32 [rows, classes], in the order of the call's rows."""
    started: float
    """When the last batch with rows of this call started, on the queue's clock."""


@dataclass(eq=False)
class Call:
    """Rows that are scored together, and who waits for that."""

    rows: NDArray[np.uint8]
    deadline: float
    arrived: float
    scored: asyncio.Future[Scored]
    expected: float | None = None
    """When it will be scored, as far as could be told when it came; of one without a deadline nobody asks."""
    taken: int = 0
    """Rows handed to batches so far."""
    pieces: list[tuple[int, NDArray[np.float32]]] = field(default_factory=list)
    """Scores that came back so far, each with the position of its first row."""
    urgency: float = field(init=False)
    """See urgency_of."""

    def __post_init__(self) -> None:
        self.urgency = urgency_of(self.deadline, self.arrived)

    @property
    def waiting_rows(self) -> int:
        """Rows in no batch yet."""
        return len(self.rows) - self.taken

    def put_together(self, start: int, scores: NDArray[np.float32], started: float) -> None:
        """Takes the scores of the rows from `start` on, of a batch that started at `started`; with the last of them
        the call is answered.
        """
        self.pieces.append((start, scores))
        if sum(len(piece) for _, piece in self.pieces) == len(self.rows):
            ordered = [piece for _, piece in sorted(self.pieces, key=lambda piece: piece[0])]
            self.scored.set_result(Scored(ordered[0] if len(ordered) == 1 else np.concatenate(ordered), started))


_urgency = attrgetter("urgency")


class Slice(NamedTuple):
    """Part of a call, in a batch."""

    call: Call
    start: int
    rows: NDArray[np.uint8]


class Line:
    """Calls in order of urgency, and of arrival where that is equal."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self.rows = 0
        """Rows that wait."""

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def first(self) -> Call:
        """The most urgent."""
        return self._calls[0]

    def join(self, call: Call) -> None:
        """A call comes to wait."""
        insort(self._calls, call, key=_urgency)
        self.rows += call.waiting_rows

    def behind(self, urgency: float) -> Iterator[Call]:
        """Calls that one of such urgency would overtake, the first of them first."""
        return iter(self._calls[bisect_right(self._calls, urgency, key=_urgency) :])

    def take(self, most: int) -> Slice:
        """At most so many rows of the first call, which leaves with its last."""
        call = self._calls[0]
        start, count = call.taken, min(most, call.waiting_rows)
        call.taken += count
        self.rows -= count
        if not call.waiting_rows:
            self._calls.pop(0)
        return Slice(call, start, call.rows[start : start + count])

    def leave(self, call: Call) -> int:
        """Takes out what waits of `call`. Returns how many rows that were."""
        if dropped := call.waiting_rows:
            self._calls.remove(call)
            self.rows -= dropped
            call.taken = len(call.rows)
        return dropped
