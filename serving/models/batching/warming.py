"""An engine meets every size of batch before its callers do, and how long each takes is found out."""

from collections.abc import Callable, Iterable

_ROUNDS = 2
_LONG_SECONDS = 0.5
_NO_CHEAPER = 0.95


def met(meet: Callable[[int], None], timed: Callable[[int], float], sizes: Iterable[int]) -> dict[int, float]:
    """The seconds that a batch takes, by its size, for the allowed `sizes`, which ascend. The first of a size, which
    `meet` runs, may cost more than all later ones; `timed` runs another, and says how long it took.

    A size that takes over half a second and whose rows are no cheaper than those of the size below is the last: larger
    ones would not be used. Sizes are timed in turns, so that what else the machine does for a while meets them all, and
    the shortest time of each counts.
    """
    seconds: dict[int, float] = {}
    below = 0
    for size in sizes:
        meet(size)
        seconds[size] = timed(size)
        if below and seconds[size] > _LONG_SECONDS and seconds[size] / size > _NO_CHEAPER * seconds[below] / below:
            break
        below = size
    for _ in range(_ROUNDS - 1):
        seconds = {size: min(before, timed(size)) for size, before in seconds.items()}
    return seconds
