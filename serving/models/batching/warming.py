"""An engine meets every size of batch before its callers do, and how long each takes is found out."""

import math
from collections.abc import Callable, Iterable

_ROUNDS = 2
_LONG_SECONDS = 0.1
_NO_CHEAPER = 0.95
_IN_VAIN = 2


def met(meet: Callable[[int], None], timed: Callable[[int], float], sizes: Iterable[int]) -> dict[int, float]:
    """The seconds that a batch takes, by its size, for the allowed `sizes`, which ascend. The first of a size, which
    `meet` runs, may cost more than all later ones; `timed` runs another, and says how long it took.

    The second of two sizes in a row that take over a tenth of a second, and whose rows are no cheaper than those of
    smaller sizes, is the last: larger ones would not be used. Before that is believed of a size, it is timed again.
    Shorter ones are timed in turns, so that what else the machine does for a while meets them all. The shortest time of
    each counts.
    """
    seconds: dict[int, float] = {}
    in_vain = 0
    for size in sizes:
        meet(size)
        cheaper = _NO_CHEAPER * size * min((each / below for below, each in seconds.items()), default=math.inf)
        seconds[size] = timed(size)
        if seconds[size] > max(cheaper, _LONG_SECONDS):
            seconds[size] = min(seconds[size], timed(size))
        in_vain = in_vain + 1 if seconds[size] > max(cheaper, _LONG_SECONDS) else 0
        if in_vain == _IN_VAIN:
            break
    for _ in range(_ROUNDS - 1):
        for size in (short for short, each in seconds.items() if each <= _LONG_SECONDS):
            seconds[size] = min(seconds[size], timed(size))
    return seconds
