"""Changes that are carried to their end, though whoever asked for them stops waiting."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def finished(change: Coroutine[Any, Any, Result]) -> Result:
    """What `change` gives. Who is cancelled meanwhile leaves once it has ended, since half of it would stay; why it
    failed is told by asyncio's log then, for nobody else asks. A change that never ends is waited for as long: what
    comes after it would meet half of it.
    """
    task = asyncio.ensure_future(change)
    gone: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            gone = error
    if gone:
        raise gone
    return task.result()
