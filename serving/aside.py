"""Work that the event loop would feel, done beside it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

MANY_ELEMENTS = 2**13
"""Of a tensor, read or written one by one: some milliseconds."""
MANY_BYTES = 2**16
"""Of JSON: about as long."""


async def aside(long: bool, work: Callable[..., Result], *given: Any) -> Result:
    """What `work` makes of `given`: in a thread where it is `long`, and else at once.

    Threads take turns between steps of Python, so one step of `work` that is long holds up the loop from there too.
    """
    return await asyncio.to_thread(work, *given) if long else work(*given)
