"""Rows of all calls that wait for one servable, run together.

Pure: no grpc, no TensorFlow, and the clock and the engine are handed in. Everything here runs on
one event loop, so nothing is locked.

The contract:
- An engine with room for a batch starts one, with all that wait by then, once a turn of the event loop brings no
  more rows, a batch is full, or rows have come for GATHERING_SECONDS. While it has no room, rows gather. Where two
  batches take about as long as one with more padding, the first is smaller (forecast.py).
- A batch is of one priority. While interactive and bulk calls both wait, they share the engine's time (turns.py).
  While interactive calls come, bulk batches are no larger than nobody notices waiting for.
- Of one priority, calls are taken in order of their deadlines; one without a deadline, or with a late one, as
  though it had to be done a while after it came (waiting.py). A call of more rows than a batch has room for is
  split over batches, and its scores are put together again.
- A call that would not be answered before its deadline, or would make one late that was taken before, is refused
  at the door, by how long batches took and what waits. One that finds the engine free and nobody waiting is
  always taken.
- Rows of a call that was cancelled, or whose deadline has passed, are never started; nor, while others wait, those
  of one that would be scored after its deadline by now.
- A failed batch fails the calls that had rows in it. Scores that are not numbers fail their own call only.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving.errors import DeadlinePassed, EngineFailed, Overloaded
from serving.models.batching.admission import Admission, Running
from serving.models.batching.forecast import Forecast
from serving.models.batching.lateness import Lateness
from serving.models.batching.turns import SHARES, Turns
from serving.models.batching.waiting import Call, Line, Scored, Slice, urgency_of

GATHERING_SECONDS = 0.005
"""So long an engine is left idle, at most, while rows keep coming: a loop that is busy takes in a few calls a turn, and
to hand a thread a batch costs as much as some rows of a small network do.
"""
GIVING_WAY_SECONDS = 1.0
"""So long after an interactive call, another is expected."""
HANGING_SECONDS = 30.0
"""An engine that is longer at a batch is taken to hang."""

Run = Callable[[NDArray[np.uint8]], Awaitable[NDArray[np.float32]]]


class Observer(Protocol):
    """Told what the queue does, as it does it."""

    def batch_started(self, rows: int, padding: int) -> None: ...
    def rows_dropped(self, rows: int) -> None:
        """Rows left the queue uncomputed: their caller had gone or their deadline had passed."""

    def rows_computed_for_nobody(self, rows: int) -> None:
        """Rows were computed, but their caller had gone meanwhile."""


class BatchQueue:
    """The queue of one servable version. Versions never mix in a batch."""

    def __init__(
        self,
        run: Run,
        *,
        clock: Callable[[], float],
        observer: Observer,
        allowed_batch_sizes: Sequence[int],
        max_queue_rows: int,
        max_batches_in_flight: int = 1,
    ) -> None:
        """`allowed_batch_sizes` ascend; a batch is padded with black rows to the next of them, so that
        the engine meets only shapes it was warmed up with. The last is the largest batch there is. Of each
        priority, `max_queue_rows` may wait.
        """
        self._run = run
        self._clock = clock
        self._observer = observer
        self._forecast = Forecast(allowed_batch_sizes)
        self._lateness = Lateness()
        self._max_batches_in_flight = max_batches_in_flight
        self._running: list[Running] = []
        self._lines = {priority: Line() for priority in SHARES}
        self._turns = Turns()
        self._admission = Admission(
            self._lines,
            self._running,
            self._turns,
            self._forecast,
            self._lateness,
            max_queue_rows,
            max_batches_in_flight,
        )
        self._last_interactive = -math.inf
        self._failure = ""
        self._is_gathering = False
        self._batches: set[asyncio.Task[None]] = set()

    @property
    def queued_rows(self) -> int:
        """Rows that wait and are in no batch yet."""
        return sum(line.rows for line in self._lines.values())

    @property
    def ails(self) -> str:
        """What was wrong with the last batch that ended, or is with one that runs; empty where nothing is."""
        longest = max((self._clock() - batch.started for batch in self._running), default=0.0)
        return f"has been at a batch for {longest:.0f} s" if longest > HANGING_SECONDS else self._failure

    def submit(
        self,
        rows: NDArray[np.uint8],
        deadline: float,
        priority: pb.Priority = pb.PRIORITY_INTERACTIVE,
        arrived: float | None = None,
    ) -> asyncio.Future[Scored]:
        """Queues uint8 [N, height, width, channels], N at least 1, to be scored before `deadline`, a moment
        on the queue's clock. Cancelling the future withdraws the call. A vote that comes back for more rows keeps
        its place by when it first `arrived`.

        Raises InvalidRequest where the rows would not fit an empty queue, and Overloaded at once where they have
        no room now or would not be scored in time. The future raises DeadlinePassed or EngineFailed.
        """
        line = self._lines[priority]
        if priority == pb.PRIORITY_INTERACTIVE:
            self._last_interactive = self._clock()
        arrived = self._clock() if arrived is None else arrived
        expected = self.check(len(rows), deadline, priority, arrived)
        call = Call(rows, deadline, arrived, asyncio.get_running_loop().create_future(), expected)
        if not line:
            self._turns.began_to_wait(priority, self._waiting)
        line.join(call)
        call.scored.add_done_callback(lambda _: self._withdraw(call, line))  # what is left of it, where it failed
        if self._has_room and not self._is_gathering:
            self._is_gathering = True
            asyncio.get_running_loop().call_soon(self._gather, 0, self._clock())
        return call.scored

    def check(self, rows: int, deadline: float, priority: pb.Priority, arrived: float) -> float | None:
        """What `submit` would say to so many rows now; when they would be scored, where they have a deadline."""
        now = self._clock()
        self._admission.check_room(rows, priority, now)
        return self._admission.check_deadlines(rows, deadline, urgency_of(deadline, arrived), priority, now)

    def expect(self, seconds: Mapping[int, float]) -> int:
        """See Forecast.expect. Returns the largest size that pays for now."""
        self._forecast.expect(seconds)
        return self._forecast.largest

    def has_time_for(self, rows: int, deadline: float, priority: pb.Priority) -> bool:
        """Whether `rows` more would be scored before `deadline`, and leave half of the room free for others."""
        return self._admission.has_time_for(rows, deadline, priority, self._clock())

    async def drained(self) -> None:
        """Returns once no batch runs. No call may be submitted meanwhile."""
        while self._batches:
            await asyncio.wait(self._batches)

    @property
    def _waiting(self) -> list[int]:
        """Priorities at which somebody waits."""
        return [priority for priority, line in self._lines.items() if line]

    @property
    def _has_room(self) -> bool:
        """Whether the engine takes another batch now."""
        return len(self._running) < self._max_batches_in_flight

    def _gather(self, rows_before: int, since: float) -> None:
        """Starts batches, unless more wait than the `rows_before` a turn of the loop: its next may bring more still."""
        rows = self.queued_rows
        self._is_gathering = rows_before < rows < self._forecast.largest and self._clock() - since < GATHERING_SECONDS
        if self._is_gathering:
            asyncio.get_running_loop().call_soon(self._gather, rows, since)
        else:
            self._start_batches()

    def _start_batches(self) -> None:
        while self._has_room and (waiting := self._waiting):
            priority = self._turns.next(waiting)
            if not (slices := self._take_slices(priority)):
                continue  # nobody wanted what waited there
            size = self._forecast.padded(sum(len(piece.rows) for piece in slices))
            running = Running(size, self._clock(), priority)
            self._running.append(running)
            batch = asyncio.get_running_loop().create_task(self._run_batch(slices, running))
            self._batches.add(batch)
            batch.add_done_callback(self._batches.discard)

    def _take_slices(self, priority: int) -> list[Slice]:
        """The rows of the next batch, those that nobody wants dropped on the way."""
        slices: list[Slice] = []
        line, now = self._lines[priority], self._clock()
        room = self._forecast.rows_to_run(line.rows)
        if priority == pb.PRIORITY_BULK and now < self._last_interactive + GIVING_WAY_SECONDS:
            room = min(room, self._forecast.unnoticed or room)
        while line and room:
            call = line.first
            self._give_up_if_late(call, line, now)
            if call.scored.done():
                self._withdraw(call, line)
                continue
            slices.append(line.take(room))
            room -= len(slices[-1].rows)
        return slices

    def _give_up_if_late(self, call: Call, line: Line, now: float) -> None:
        """Fails `call`, the first of `line`, where there is no use in computing it."""
        if call.scored.done():
            return
        if call.deadline <= now:
            call.scored.set_exception(DeadlinePassed("The deadline passed while the picture waited for its turn."))
        elif line.rows > call.waiting_rows and now + self._forecast.of_rows(call.waiting_rows) > call.deadline:
            # Alone it would be tried: forecasts may be wrong.
            call.scored.set_exception(
                Overloaded("Batches took longer than was expected; an answer would come too late by now. Try again.")
            )

    def _withdraw(self, call: Call, line: Line) -> None:
        if dropped := line.leave(call):
            self._observer.rows_dropped(dropped)

    async def _run_batch(self, slices: list[Slice], running: Running) -> None:
        size, started, priority = running
        try:
            batch = self._pad([piece.rows for piece in slices], size)
            logits = await self._run(batch)
            self._forecast.learn(size, self._clock() - started)
            if len(logits) != len(batch):
                raise EngineFailed(f"The model gave scores for {len(logits)} of {len(batch)} rows.")
            self._failure = ""
            self._hand_out(logits, slices, started)
        except Exception as error:
            self._failure = f"failed on its last batch: {error!r}"
            failure = EngineFailed(f"The model failed on a batch: {error!r}")
            failure.__cause__ = error
            for piece in slices:
                if not piece.call.scored.done():
                    piece.call.scored.set_exception(failure)
        finally:
            self._running.remove(running)
            self._turns.ran(priority, self._clock() - started)
            if not self._is_gathering:
                self._gather(0, self._clock())

    def _pad(self, pieces: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
        count = sum(map(len, pieces))
        self._observer.batch_started(count, size - count)
        if size > count:
            pieces = [*pieces, np.zeros((size - count, *pieces[0].shape[1:]), np.uint8)]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _hand_out(self, logits: NDArray[np.float32], slices: list[Slice], started: float) -> None:
        all_are_numbers = bool(np.isfinite(logits).all())
        position = 0
        for call, start, rows in slices:
            scores = logits[position : position + len(rows)]
            position += len(rows)
            if call.scored.done():
                self._observer.rows_computed_for_nobody(len(rows))
            elif not (all_are_numbers or np.isfinite(scores).all()):
                self._failure = "gave scores that are not numbers"
                call.scored.set_exception(EngineFailed("The model gave scores that are not numbers."))
            else:
                call.put_together(start, scores, started)
                if call.expected is not None and call.scored.done():
                    self._lateness.learn(self._clock() - call.expected)
