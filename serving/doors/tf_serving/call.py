"""A call for examples, as what answers it sees it, and several things done for one."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple


class Call(NamedTuple):
    """What goes with its examples."""

    api: str
    """By its name in TensorFlow Serving's metrics."""
    key: str
    """Of routing: all that is asked for the call goes one way."""
    deadline: float
    """A moment on the models' clock."""


async def together(calls: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """What all of `calls` return, in order. The first that fails cancels the others, and what it raised is raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
