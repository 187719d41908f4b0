"""Whether a call is taken: would it be scored in time, and would those that were taken before it? Pure."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from protos import classification_pb2 as pb
from serving.errors import InvalidRequest, Overloaded
from serving.models.batching.forecast import Forecast
from serving.models.batching.lateness import Lateness
from serving.models.batching.turns import Turns
from serving.models.batching.waiting import Line


class Running(NamedTuple):
    """A batch that the engine works on."""

    size: int
    started: float
    priority: int


class Admission:
    """Decides by how long batches took and what waits. It looks at the queue's parts and changes none of them."""

    def __init__(
        self,
        lines: Mapping[int, Line],
        running: Sequence[Running],
        turns: Turns,
        forecast: Forecast,
        lateness: Lateness,
        max_queue_rows: int,
        max_batches_in_flight: int,
    ) -> None:
        """`lines` are by priority; of each, `max_queue_rows` may wait."""
        self._lines = lines
        self._running = running
        self._turns = turns
        self._forecast = forecast
        self._lateness = lateness
        self._max_queue_rows = max_queue_rows
        self._max_batches_in_flight = max_batches_in_flight

    def check_room(self, rows: int, priority: pb.Priority, now: float) -> None:
        """Raises InvalidRequest where `rows` would not fit an empty queue, Overloaded where they have no room now."""
        line = self._lines[priority]
        if rows > self._max_queue_rows:
            raise InvalidRequest(
                f"A request has at most {self._max_queue_rows} rows, one a view; {rows} came. Ask for fewer views."
            )
        if (excess := line.rows + rows - self._max_queue_rows) > 0:
            raise Overloaded(
                f"At most {self._max_queue_rows} rows may wait for a model; {line.rows} wait and "
                f"{rows} more came. Try again shortly, or with fewer views.",
                self._until_taken(excess, now) if self._forecast.knows else None,
            )

    def check_deadlines(
        self, rows: int, deadline: float, urgency: float, priority: pb.Priority, now: float
    ) -> float | None:
        """When `rows` are expected to be scored, where they have a deadline ahead and something is known.

        Raises Overloaded where that is too late, or would make a call late that was taken before.
        """
        if deadline <= now:
            return None
        can_tell = deadline < math.inf and self._forecast.knows
        if self._is_free:
            return now + self._forecast.of_rows(rows) if can_tell else None
        line = self._lines[priority]
        overtaken = list(line.behind(urgency))
        before = line.rows - sum(call.waiting_rows for call in overtaken)
        expected = None
        if can_tell:
            own = self._expected(before, rows, priority, now)
            self._check_own(rows, deadline - now, own + self._lateness.margin)
            expected = now + own
        for call in overtaken:
            left = call.deadline - now
            delayed = self._expected(before + rows, call.waiting_rows, priority, now)
            if delayed > left >= self._expected(before, call.waiting_rows, priority, now):
                raise Overloaded(
                    "An answer may not make others late that were promised before, as this one would. "
                    f"Try again in {delayed:.3g} s, or with fewer views.",
                    delayed,
                )
            before += call.waiting_rows
        return expected

    def has_time_for(self, rows: int, deadline: float, priority: pb.Priority, now: float) -> bool:
        """Whether `rows` more would be scored before `deadline`, and leave half of the room free for others."""
        waiting = self._lines[priority].rows
        if self._is_free:
            return True
        return (
            waiting + rows <= self._max_queue_rows / 2
            and self._expected(waiting, rows, priority, now) + self._lateness.margin <= deadline - now
        )

    @property
    def _is_free(self) -> bool:
        return not self._running and not any(self._lines.values())

    def _check_own(self, rows: int, left: float, expected: float) -> None:
        """Raises Overloaded where `rows`, `expected` in so many seconds, would come after the `left` ones."""
        if (alone := self._forecast.of_rows(rows)) > left:
            raise Overloaded(
                f"An answer is to be had before the caller's deadline, in {left:.3g} s; its {rows} rows alone "
                f"take {alone:.3g} s. Allow more time, or ask for fewer views."
            )
        if expected > left:
            raise Overloaded(
                f"An answer is to be had before the caller's deadline, in {left:.3g} s; by what waits for the model it "
                f"is expected in {expected:.3g} s. Try again in {expected - left:.3g} s, or with fewer views.",
                expected - left,
            )

    def _expected(self, before: int, rows: int, priority: pb.Priority, now: float) -> float:
        """Seconds until `rows` more would be scored, behind `before` others of their priority."""
        largest, line = self._forecast.largest, self._lines[priority]
        # The last of these batches is filled with calls that are less urgent.
        filled = min(-(-(before + rows) // largest) * largest, line.rows + rows)
        waiting = [each for each, others in self._lines.items() if others]
        shared = self._forecast.of_rows(filled) / self._turns.share(priority, waiting) / self._max_batches_in_flight
        return self._until_room(now) + max(shared, self._forecast.of_rows(rows))

    def _until_taken(self, rows: int, now: float) -> float:
        """Seconds until so many of the rows that wait are in a batch."""
        batches_before = -(-rows // self._forecast.largest) - 1
        return self._until_room(now) + self._forecast.of_rows(batches_before * self._forecast.largest)

    def _until_room(self, now: float) -> float:
        """Seconds until the engine has room for a batch."""
        if len(self._running) < self._max_batches_in_flight:
            return 0.0
        ends = (self._forecast.of_batch(batch.size) - (now - batch.started) for batch in self._running)
        return max(0.0, min(ends))
