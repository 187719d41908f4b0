"""Asking another version too, after the caller has been answered and for nobody but the metrics."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from serving.errors import DeadlinePassed, Overloaded
from serving.metrics import Metrics

log = logging.getLogger(__name__)

IN_FLIGHT = 8
"""Copies at a time. More are dropped: what is measured is a sample anyway."""
_SECONDS = 10.0
"""A copy that has not been answered for so long is dropped."""

Ask = Callable[[int, float], Awaitable[Sequence[str]]]
"""The winner of each picture that a version names before a moment on the clock."""


class Shadow:
    """Sends copies of calls to shadows, and compares the answers with those that callers got."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._copies: set[asyncio.Task[None]] = set()

    def ask_too(
        self, model: str, version: int, ask: Ask, winners: Sequence[str], compared: Callable[[bool], None]
    ) -> None:
        """Asks `version` of `model` about pictures that had these `winners`, unless too many are asked already; returns
        at once. `compared(agreed)` is called for each picture then; a version that fails agrees on none.
        """
        if len(self._copies) >= IN_FLIGHT:
            self._count(model, version, "dropped", len(winners))
            return
        copy = asyncio.create_task(self._compare(model, version, ask, winners, compared))
        self._copies.add(copy)
        copy.add_done_callback(self._copies.discard)

    def close(self) -> None:
        """Ends all copies."""
        for copy in self._copies:
            copy.cancel()

    async def _compare(
        self, model: str, version: int, ask: Ask, winners: Sequence[str], compared: Callable[[bool], None]
    ) -> None:
        began, outcome = self._clock(), "answered"
        agreed = [False] * len(winners)
        try:
            given = await ask(version, began + _SECONDS)
            agreed = [one == other for one, other in zip(given, winners, strict=True)]
            self._count(model, version, "agreed", sum(agreed))
            self._count(model, version, "disagreed", len(agreed) - sum(agreed))
        except (Overloaded, DeadlinePassed):  # bulk calls are the first for whom there is no time, whatever the version
            self._count(model, version, "dropped", len(winners))
            return
        except Exception as error:
            outcome = "failed"
            self._count(model, version, outcome, len(winners))
            log.warning("%s version %s failed as a shadow: %s: %s", model, version, type(error).__name__, error)
        self._metrics.canary_duration.labels(model, version, "shadow", outcome).observe(self._clock() - began)
        for each in agreed:
            compared(each)

    def _count(self, model: str, version: int, outcome: str, pictures: int) -> None:
        if pictures:
            self._metrics.canary_copies.labels(model, version, outcome).inc(pictures)
