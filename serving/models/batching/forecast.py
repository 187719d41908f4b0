"""How long an engine will take, and so how many rows to run at once, learned from the batches that it ran. Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_NEWEST = 0.2
"""What a batch counts in the mean of those of its size: old ones fade, and one that was slow passes."""
_FORGOTTEN = 0.02
"""What a batch of another size takes from what is remembered of a size that does not run."""

_UNNOTICED_SECONDS = 0.02
_NEARLY_ALL = 0.95
"""Of the highest rate: what a batch size has to reach for larger ones not to pay."""


class _Plan(NamedTuple):
    """What becomes of some rows that are no more than a batch has room for."""

    first: int
    """Rows of the batch that is run first."""
    seconds: float
    """Until all are done."""


class Forecast:
    """Of one engine. While it has run nothing, everything is expected at once."""

    def __init__(self, allowed_batch_sizes: Sequence[int]) -> None:
        """They ascend."""
        self._sizes = tuple(allowed_batch_sizes)
        self.largest = self._sizes[-1]
        """The largest batch there is, for now."""
        self.unnoticed = 0
        """The largest that nobody notices waiting for; 0 where that is not known, or even one row takes longer."""
        self._seconds: dict[int, float] = {}
        self._expected: Mapping[int, float] = {}
        """What batches took before there were calls; empty where that is not known."""
        self._plans: dict[int, _Plan] = {}

    @property
    def knows(self) -> bool:
        """Whether it has seen a batch."""
        return bool(self._seconds)

    def expect(self, seconds: Mapping[int, float]) -> None:
        """Before there are calls, batches took so long, by their size. There are no sizes but these, and from here on
        none above the smallest whose rows are about as cheap as any: a larger batch makes its own calls, and whoever
        comes meanwhile, wait longer for nothing. A wait that nobody notices is worth no doubt about what was measured.
        """
        self._sizes = tuple(sorted(seconds))
        self._expected = dict(seconds)
        self._seconds = dict(seconds)
        self._weigh_sizes()
        self._plans.clear()

    def learn(self, size: int, seconds: float) -> None:
        """A batch of `size` rows, padding and all, took so long."""
        before = self._seconds.get(size, seconds)
        self._seconds[size] = before + _NEWEST * (seconds - before)
        if self._expected:
            self._forget_others(size)
            self._weigh_sizes()
        self._plans.clear()

    def of_batch(self, size: int) -> float:
        """Seconds for `size` rows at once. Of a size that never ran, those of the next larger that did, or else
        those of the largest in proportion: not less than it will take, since a row is cheaper in a larger batch.
        """
        if not self._seconds:
            return 0.0
        if larger := [met for met in self._seconds if met >= size]:
            return self._seconds[min(larger)]
        largest = max(self._seconds)
        return self._seconds[largest] * size / largest

    def of_rows(self, rows: int) -> float:
        """Seconds for `rows`, in batches of as many as `rows_to_run` says."""
        full, rest = divmod(rows, self.largest)
        return full * self.of_batch(self.largest) + (self._planned(rest).seconds if rest else 0.0)

    def rows_to_run(self, waiting: int) -> int:
        """Of so many rows that wait, one at least, how many to run at once: all that a batch has room for, padded to
        the next size, or as many as fill the size below, where all are done about as soon that way, and the first of
        them sooner.
        """
        return self.largest if waiting >= self.largest else self._planned(waiting).first

    def padded(self, rows: int) -> int:
        """The allowed size that a batch of `rows` is padded to."""
        return next(size for size in self._sizes if size >= rows)

    def _planned(self, rows: int) -> _Plan:
        """The plan of so many rows, no more than there are in a batch."""
        if rows not in self._plans:
            self._plans[rows] = self._plan(rows)
        return self._plans[rows]

    def _plan(self, rows: int) -> _Plan:
        size, below = self.padded(rows), max((each for each in self._sizes if each < rows), default=0)
        together = self.of_batch(size)
        if self._expected and below and rows < size and together > _UNNOTICED_SECONDS:
            apart = self.of_batch(below) + self._planned(rows - below).seconds
            if apart * _NEARLY_ALL < together:
                return _Plan(below, apart)
        return _Plan(rows, together)

    def _forget_others(self, size: int) -> None:
        """Has what was seen of other sizes give way to what they were expected to take, at the pace of this one: one
        that was slow once is tried again.
        """
        if self._expected[size]:
            pace = self._seconds[size] / self._expected[size]
            for other in self._sizes:
                if other != size:
                    self._seconds[other] += _FORGOTTEN * (pace * self._expected[other] - self._seconds[other])

    def _weigh_sizes(self) -> None:
        """Finds the largest size that pays. What a batch costs beside its rows shows only while there are calls, and a
        machine that was busy when sizes were first met may be so no more; rows are no dearer in a larger batch.
        """
        a_row, cheapest = {}, math.inf
        for size in self._sizes:
            a_row[size] = cheapest = min(cheapest, self._seconds[size] / size)
        short = max((size for size in self._sizes if size * a_row[size] <= _UNNOTICED_SECONDS), default=0)
        self.unnoticed = max((size for size in self._sizes if self._seconds[size] <= _UNNOTICED_SECONDS), default=0)
        self.largest = max(short, min(size for size in self._sizes if a_row[size] <= cheapest / _NEARLY_ALL))
