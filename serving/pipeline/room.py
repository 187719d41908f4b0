"""How much may be in flight, shared so that one model cannot take all of it. Pure."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from serving.errors import Overloaded


@dataclass(frozen=True)
class Bounds:
    """What may be in flight, over all models."""

    pixels: int = 2**31
    """Of large pictures that are decoded or wait for it, by their headers: the time that whoever comes last waits. Of
    these, threads hold decoded one picture each.
    """
    bytes: int = 2**30
    """Of requests and of the rows that are cut from their pictures, from arrival to answer: a request keeps its picture
    until it is answered. Of tensors for signatures, until those have run.
    """


class Room:
    """Dynamic thresholds (Choudhury and Hahne 1998, section III): a model may hold as much as is left free. Alone it
    gets half, beside another a third, and whoever held nothing still finds room.
    """

    def __init__(self, whole: int, what: str) -> None:
        """`what` there is so much of, as messages call it: "bytes of pictures, rows and tensors"."""
        self._whole = whole
        self._what = what
        self._held: Counter[str] = Counter()
        self._in_all = 0

    def take(self, model: str, amount: int) -> None:
        """Raises Overloaded where `model` may not hold `amount`, at least 1, more now. While nothing is held, anything
        is taken: what is allowed at all is never refused for good.
        """
        held, free = self._held[model], self._whole - self._in_all
        if self._in_all and held + amount > free:
            raise Overloaded(
                f"At most {self._whole} {self._what} may be in flight, and of one model at most as many as are free; "
                f"{amount} came, {held} of {model} are in flight already and {max(free, 0)} free. Try again shortly, "
                "or send less at once."
            )
        self._held[model] += amount
        self._in_all += amount

    def give_back(self, model: str, amount: int) -> None:
        """What was taken."""
        self._held[model] -= amount
        self._in_all -= amount
        if not self._held[model]:
            del self._held[model]

    @contextmanager
    def held(self, model: str, amount: int) -> Iterator[None]:
        """Takes `amount` for the time of a block. Raises Overloaded."""
        self.take(model, amount)
        try:
            yield
        finally:
            self.give_back(model, amount)
