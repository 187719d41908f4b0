"""Networks without weights: what can be counted and refused before any memory is taken."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import keras

LARGEST = 128
"""Every network takes inputs of this side."""


def outline(build: Callable[[], keras.Model]) -> keras.Model:
    """The network that `build` makes, with shapes and no weights, in float32: for counting, and not for computing.

    It is built in a thread of its own: Keras keeps a thread's list of variables yet to be made,
    and this one's must never be.
    """

    def build_without_weights() -> keras.Model:
        with keras.StatelessScope(initialize_variables=False):
            return build()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(build_without_weights).result()


def smallest_side(build: Callable[[int], keras.Model]) -> int | None:
    """The smallest side of a square input that `build` takes; None where it does not take LARGEST either."""
    low, high = 0, LARGEST
    if not _takes(build, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _takes(build, middle) else (middle, high)
    return high


def _takes(build: Callable[[int], keras.Model], side: int) -> bool:
    try:
        outline(lambda: build(side))
    except ValueError:  # a window is larger than what it looks at
        return False
    return True
