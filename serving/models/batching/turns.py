"""Whose turn it is at an engine, so that nobody who waits starves. Pure."""

from collections.abc import Collection, Mapping

from protos import classification_pb2 as pb

SHARES: Mapping[int, float] = {pb.PRIORITY_INTERACTIVE: 4.0, pb.PRIORITY_BULK: 1.0}
"""Of an engine's time, while both wait."""


class Turns:
    """Start-time fair queueing (Goyal, Vin and Cheng 1996): the next turn is of whoever, among those that wait, has
    used least of the engine for its share. One that did not wait is owed nothing for that time.
    """

    def __init__(self, shares: Mapping[int, float] = SHARES) -> None:
        """Of those who begin to wait together, the first named comes first."""
        self._shares = shares
        self._used = dict.fromkeys(shares, 0.0)
        """Seconds of the engine by share."""

    def began_to_wait(self, newcomer: int, waiting: Collection[int]) -> None:
        """`waiting` are those who wait already."""
        if waiting:
            self._used[newcomer] = max(self._used[newcomer], min(self._used[other] for other in waiting))

    def next(self, waiting: Collection[int]) -> int:
        """Who of `waiting` is next."""
        return min((each for each in self._shares if each in waiting), key=self._used.__getitem__)

    def ran(self, whose: int, seconds: float) -> None:
        """A turn took so long."""
        self._used[whose] += seconds / self._shares[whose]

    def share(self, whose: int, waiting: Collection[int]) -> float:
        """Of the engine's time, while `waiting` wait beside it: above 0, at most 1."""
        return self._shares[whose] / sum(self._shares[each] for each in {whose, *waiting})
