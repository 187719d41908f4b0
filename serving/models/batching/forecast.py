"""How long an engine will take, learned from the batches that it ran. Pure."""

import math
from collections.abc import Mapping, Sequence

_NEWEST = 0.2
"""What a batch counts in the mean of those of its size: old ones fade, and one that was slow passes."""

_UNNOTICED_SECONDS = 0.02
_NEARLY_ALL = 0.95
"""Of the highest rate: what a batch size has to reach for larger ones not to pay."""

_SPREAD = 4.0
"""Deviations that are left for what is not foreseen."""


class Lateness:
    """By how much calls were scored after they were expected to be: the mean and the mean deviation, as Jacobson and
    Karels estimate round trips ("Congestion Avoidance and Control", 1988, appendix A).
    """

    def __init__(self) -> None:
        self._mean = self._deviation = 0.0

    @property
    def margin(self) -> float:
        """Seconds that a promise leaves for what is not foreseen."""
        return max(0.0, self._mean + _SPREAD * self._deviation)

    def learn(self, seconds: float) -> None:
        """A call was scored so much later than expected; earlier where it is negative."""
        error = seconds - self._mean
        self._mean += error / 8
        self._deviation += (abs(error) - self._deviation) / 4


class Forecast:
    """Of one engine. While it has run nothing, everything is expected at once."""

    def __init__(self, allowed_batch_sizes: Sequence[int]) -> None:
        """They ascend."""
        self._sizes = tuple(allowed_batch_sizes)
        self.largest = self._sizes[-1]
        """The largest batch there is, for now."""
        self._seconds: dict[int, float] = {}
        self._weighs_sizes = False

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
        self._seconds = dict(seconds)
        self._weighs_sizes = True
        self._weigh_sizes()

    def learn(self, size: int, seconds: float) -> None:
        """A batch of `size` rows, padding and all, took so long."""
        before = self._seconds.get(size, seconds)
        self._seconds[size] = before + _NEWEST * (seconds - before)
        if self._weighs_sizes:
            self._weigh_sizes()

    def rows_to_run(self, waiting: int) -> int:
        """Of so many rows that wait, one at least, how many to run at once: all, padded to the next size, or as many as
        fill the size below, whichever makes more rows a second. Whoever is left is in the next batch, with others who
        come meanwhile.
        """
        rows = min(waiting, self.largest)
        size, below = self.padded(rows), max((each for each in self._sizes if each < rows), default=0)
        if below and self._weighs_sizes and rows * self._seconds[below] < below * self._seconds[size]:
            return below
        return rows

    def _weigh_sizes(self) -> None:
        """What a batch costs beside its rows shows only while there are calls, and a machine that was busy when sizes
        were first met may be so no more: sizes that do not run keep what they were expected to take, or less, for rows
        are no dearer in a larger batch.
        """
        a_row, cheapest = {}, math.inf
        for size in self._sizes:
            a_row[size] = cheapest = min(cheapest, self._seconds[size] / size)
        unnoticed = max((size for size in self._sizes if size * a_row[size] <= _UNNOTICED_SECONDS), default=0)
        self.largest = max(unnoticed, min(size for size in self._sizes if a_row[size] <= cheapest / _NEARLY_ALL))

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
        """Seconds for `rows` in batches as large as there are."""
        full, rest = divmod(rows, self.largest)
        return full * self.of_batch(self.largest) + (self.of_batch(self.padded(rest)) if rest else 0.0)

    def padded(self, rows: int) -> int:
        """The allowed size that a batch of `rows` is padded to."""
        return next(size for size in self._sizes if size >= rows)
