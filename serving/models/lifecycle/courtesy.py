"""Loading shares the interpreter with those who answer."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 0.0005
"""A tenth of Python's own interval. A loop that wakes waits for it, at each of its turns."""


@contextmanager
def courteous() -> Iterator[None]:
    """Whoever computes in Python lets others do so often, in the block: one at a time, for it holds for the process."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
