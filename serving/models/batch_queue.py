"""Rows of all calls that wait for one servable, run together.

Pure: no grpc, no TensorFlow, and the clock and the engine are handed in. Everything here runs on
one event loop, so nothing is locked.

The contract:
- An engine with room for a batch starts one at the end of the event loop's turn in which rows came, with all
  that wait by then. While it has none, rows gather.
- A call that would not be answered before its deadline, by how long batches took and what waits, is refused at
  the door. One that finds the engine free and nobody waiting is always taken.
- Calls are taken in order of their deadlines, and of arrival where those are equal. One that was taken may still be
  overtaken by more urgent ones, and one without a deadline waits behind all that have one. A call of more rows than
  a batch has room for is split over batches, and its scores are put together again.
- Rows of a call that was cancelled, or whose deadline has passed, are never started.
- A failed batch fails the calls that had rows in it. Scores that are not numbers fail their own call only.
"""

import asyncio
import math
from bisect import insort
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from serving.errors import DeadlinePassed, EngineFailed, InvalidRequest, Overloaded
from serving.models.forecast import Forecast

Run = Callable[[NDArray[np.uint8]], Awaitable[NDArray[np.float32]]]


class Observer(Protocol):
    """Told what the queue does, as it does it."""

    def batch_started(self, rows: int, padding: int) -> None: ...
    def rows_dropped(self, rows: int) -> None:
        """Rows left the queue uncomputed: their caller had gone or their deadline had passed."""

    def rows_computed_for_nobody(self, rows: int) -> None:
        """Rows were computed, but their caller had gone meanwhile."""


class Scored(NamedTuple):
    """What a call gets back."""

    logits: NDArray[np.float32]
    """float32 [rows, classes], in the order of the call's rows."""
    started: float
    """When the last batch with rows of this call started, on the queue's clock."""


@dataclass(eq=False)
class _Call:
    rows: NDArray[np.uint8]
    deadline: float
    scored: asyncio.Future[Scored]
    taken: int = 0
    """Rows handed to batches so far."""
    pieces: list[tuple[int, NDArray[np.float32]]] = field(default_factory=list)
    """Scores that came back so far, each with the position of its first row."""

    @property
    def waiting_rows(self) -> int:
        return len(self.rows) - self.taken


class _Slice(NamedTuple):
    call: _Call
    start: int
    rows: NDArray[np.uint8]


class _Running(NamedTuple):
    size: int
    started: float


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
        the engine meets only shapes it was warmed up with. The last is the largest batch there is.
        """
        self._run = run
        self._clock = clock
        self._observer = observer
        self._largest_batch = allowed_batch_sizes[-1]
        self._forecast = Forecast(allowed_batch_sizes)
        self._max_queue_rows = max_queue_rows
        self._max_batches_in_flight = max_batches_in_flight
        self._room_in_flight = max_batches_in_flight
        self._running: list[_Running] = []
        self._waiting: list[_Call] = []
        """By deadline, then by arrival."""
        self._queued_rows = 0
        self._start_is_due = False
        self._batches: set[asyncio.Task[None]] = set()

    @property
    def queued_rows(self) -> int:
        """Rows that wait and are in no batch yet."""
        return self._queued_rows

    def submit(self, rows: NDArray[np.uint8], deadline: float) -> asyncio.Future[Scored]:
        """Queues uint8 [N, height, width, channels], N at least 1, to be scored before `deadline`, a moment
        on the queue's clock. Cancelling the future withdraws the call.

        Raises InvalidRequest where the rows would not fit an empty queue, and Overloaded at once where they have
        no room now or would not be scored in time. The future raises DeadlinePassed or EngineFailed.
        """
        if len(rows) > self._max_queue_rows:
            raise InvalidRequest(
                f"A request has at most {self._max_queue_rows} rows, one a view; {len(rows)} came. Ask for fewer views."
            )
        if self._queued_rows + len(rows) > self._max_queue_rows:
            raise Overloaded(
                f"At most {self._max_queue_rows} rows may wait for a model; {self._queued_rows} wait and "
                f"{len(rows)} more came. Try again shortly, or with fewer views.",
                self._forecast.of_rows(self._queued_rows + len(rows) - self._max_queue_rows),
            )
        self._check_deadline(len(rows), deadline)
        call = _Call(rows, deadline, asyncio.get_running_loop().create_future())
        call.scored.add_done_callback(lambda _: self._withdraw(call))  # what is left of it, where it failed
        insort(self._waiting, call, key=lambda waiting: waiting.deadline)
        self._queued_rows += len(rows)
        if not self._start_is_due:
            self._start_is_due = True
            asyncio.get_running_loop().call_soon(self._start_batches)
        return call.scored

    async def drained(self) -> None:
        """Returns once no batch runs. No call may be submitted meanwhile."""
        while self._batches:
            await asyncio.wait(self._batches)

    def _check_deadline(self, rows: int, deadline: float) -> None:
        """Raises Overloaded where `rows` more would not be scored before `deadline`, which has not passed yet."""
        now = self._clock()
        if not now < deadline < math.inf or not (self._waiting or self._running):
            return
        expected, left = self._expected(rows, deadline, now), deadline - now
        if expected > left:
            raise Overloaded(
                f"An answer is to be had before the caller's deadline, in {left:.3g} s; by what waits for the model it "
                f"is expected in {expected:.3g} s. Try again in {expected - left:.3g} s, or with fewer views.",
                expected - left,
            )

    def _expected(self, rows: int, deadline: float, now: float) -> float:
        """Seconds until `rows` that came now, with such a deadline, would be scored."""
        before = sum(call.waiting_rows for call in self._waiting if call.deadline <= deadline)
        until_free = 0.0
        if not self._room_in_flight:
            until_free = min(self._forecast.of_batch(size) - (now - started) for size, started in self._running)
        # The last of these batches is filled with calls of later deadlines.
        filled = -(-(before + rows) // self._largest_batch) * self._largest_batch
        side_by_side = self._forecast.of_rows(min(filled, self._queued_rows + rows)) / self._max_batches_in_flight
        return max(0.0, until_free) + max(side_by_side, self._forecast.of_rows(rows))

    def _start_batches(self) -> None:
        self._start_is_due = False
        while self._room_in_flight and (slices := self._take_slices()):
            self._room_in_flight -= 1
            size = self._forecast.padded(sum(len(piece.rows) for piece in slices))
            running = _Running(size, self._clock())
            self._running.append(running)
            batch = asyncio.get_running_loop().create_task(self._run_batch(slices, running))
            self._batches.add(batch)
            batch.add_done_callback(self._batches.discard)

    def _take_slices(self) -> list[_Slice]:
        """The rows of the next batch, from the head of the queue; those that nobody wants are dropped on the way."""
        slices: list[_Slice] = []
        room = self._largest_batch
        now = self._clock()
        while self._waiting and room:
            call = self._waiting[0]
            if call.deadline <= now and not call.scored.done():
                call.scored.set_exception(DeadlinePassed("The deadline passed while the picture waited for its turn."))
            if call.scored.done():
                self._withdraw(call)
                continue
            start, count = call.taken, min(room, call.waiting_rows)
            slices.append(_Slice(call, start, call.rows[start : start + count]))
            call.taken += count
            self._queued_rows -= count
            room -= count
            if not call.waiting_rows:
                self._waiting.pop(0)
        return slices

    def _withdraw(self, call: _Call) -> None:
        if call.waiting_rows:
            self._waiting.remove(call)
            self._queued_rows -= call.waiting_rows
            self._observer.rows_dropped(call.waiting_rows)
            call.taken = len(call.rows)

    async def _run_batch(self, slices: list[_Slice], running: _Running) -> None:
        size, started = running
        try:
            batch = self._pad([piece.rows for piece in slices], size)
            logits = await self._run(batch)
            self._forecast.learn(size, self._clock() - started)
            if len(logits) != len(batch):
                raise EngineFailed(f"The model gave scores for {len(logits)} of {len(batch)} rows.")
            self._hand_out(logits, slices, started)
        except Exception as error:
            failure = EngineFailed(f"The model failed on a batch: {error!r}")
            failure.__cause__ = error
            for piece in slices:
                if not piece.call.scored.done():
                    piece.call.scored.set_exception(failure)
        finally:
            self._running.remove(running)
            self._room_in_flight += 1
            self._start_batches()

    def _pad(self, pieces: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
        count = sum(map(len, pieces))
        self._observer.batch_started(count, size - count)
        if size > count:
            pieces = [*pieces, np.zeros((size - count, *pieces[0].shape[1:]), np.uint8)]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _hand_out(self, logits: NDArray[np.float32], slices: list[_Slice], started: float) -> None:
        all_are_numbers = bool(np.isfinite(logits).all())
        position = 0
        for call, start, rows in slices:
            scores = logits[position : position + len(rows)]
            position += len(rows)
            if call.scored.done():
                self._observer.rows_computed_for_nobody(len(rows))
            elif not (all_are_numbers or np.isfinite(scores).all()):
                call.scored.set_exception(EngineFailed("The model gave scores that are not numbers."))
            else:
                self._put_together(call, start, scores, started)

    @staticmethod
    def _put_together(call: _Call, start: int, scores: NDArray[np.float32], started: float) -> None:
        if len(scores) == len(call.rows):
            call.scored.set_result(Scored(scores, started))
            return
        call.pieces.append((start, scores))
        if sum(len(piece) for _, piece in call.pieces) == len(call.rows):
            ordered = [piece for _, piece in sorted(call.pieces, key=lambda piece: piece[0])]
            call.scored.set_result(Scored(np.concatenate(ordered), started))
