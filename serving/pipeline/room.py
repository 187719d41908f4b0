"""How much may be in flight, shared so that one model cannot take all of it. Pure."""

from collections import Counter

from serving.errors import Overloaded


class Room:
    """Dynamic thresholds (Choudhury and Hahne 1998, section III): a model may hold as much as is left free. Alone it
    gets half, beside another a third, and whoever held nothing still finds room.
    """

    def __init__(self, whole: int, what: str) -> None:
        """`what` there is so much of, as messages call it: "pixels"."""
        self._whole = whole
        self._what = what
        self._held: Counter[str] = Counter()

    def check(self, model: str, amount: int) -> None:
        """Raises Overloaded where `model` may not take `amount`, at least 1, now. While nothing is held, anything is
        taken: what is allowed at all is never refused for good.
        """
        held, free = self._held[model], self._whole - sum(self._held.values())
        if self._held and held + amount > free:
            raise Overloaded(
                f"Large pictures that are decoded or wait for it have at most {self._whole} {self._what}, and those "
                f"of one model at most as many as are free; {amount} came, {held} of {model} are in flight already "
                f"and {max(free, 0)} free. Try again shortly, or send smaller pictures."
            )

    def take(self, model: str, amount: int) -> None:
        """After `check`."""
        self._held[model] += amount

    def give_back(self, model: str, amount: int) -> None:
        """What was taken."""
        self._held[model] -= amount
        self._held += Counter()  # forgets those that hold nothing
