"""A batch queue with a fake clock, and an engine whose batches the test finishes one by one."""

import asyncio

import numpy as np

from serving.models.batching.batch_queue import BatchQueue
from serving.models.batching.waiting import Scored
from tests.serving.fakes import FakeClock, RecordingObserver


def rows_of(*numbers: int) -> np.ndarray:
    """uint8 rows [N, 2, 2, 1] that carry a number each, below 65536."""
    rows = np.zeros((len(numbers), 2, 2, 1), np.uint8)
    rows[:, 0, 0, 0], rows[:, 0, 1, 0] = np.divmod(numbers, 256)
    return rows


def numbers_in(rows: np.ndarray) -> list[int]:
    """The numbers that rows carry; padding carries 0."""
    return (rows[:, 0, 0, 0].astype(int) * 256 + rows[:, 0, 1, 0]).tolist()


def scores_of(rows: np.ndarray) -> np.ndarray:
    """The logits that the engine gives: the row's number, and its double."""
    numbers = np.array(numbers_in(rows), np.float32)
    return np.stack([numbers, 2 * numbers], axis=1)


class Bench:
    """A queue under test. Make it inside the event loop."""

    def __init__(self, allowed_batch_sizes=(1, 2, 4, 8), max_queue_rows=100, max_batches_in_flight=1) -> None:
        self.clock = FakeClock()
        self.observer = RecordingObserver()
        self.batches: list[tuple[np.ndarray, asyncio.Future]] = []
        """Every batch that was started, and the future that its engine answers by."""
        self.queue = BatchQueue(
            self._run,
            clock=self.clock,
            observer=self.observer,
            allowed_batch_sizes=allowed_batch_sizes,
            max_queue_rows=max_queue_rows,
            max_batches_in_flight=max_batches_in_flight,
        )

    async def _run(self, rows: np.ndarray) -> np.ndarray:
        answer = asyncio.get_running_loop().create_future()
        self.batches.append((rows, answer))
        return await answer

    async def settle(self) -> None:
        """Lets the event loop do everything that is ready."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def submit(self, *numbers: int, deadline: float = np.inf, **options) -> asyncio.Future[Scored]:
        future = self.queue.submit(rows_of(*numbers), deadline, **options)
        await self.settle()
        return future

    async def finish(self, batch: int = -1, with_scores=scores_of) -> None:
        """Has the engine answer a batch."""
        rows, answer = self.batches[batch]
        answer.set_result(with_scores(rows))
        await self.settle()

    async def fail(self, error: Exception) -> None:
        """Has the engine raise on the last batch."""
        self.batches[-1][1].set_exception(error)
        await self.settle()

    async def finish_all(self) -> None:
        """Has the engine answer until nothing waits and nothing runs."""
        while running := [batch for batch, (_, answer) in enumerate(self.batches) if not answer.done()]:
            await self.finish(running[0])

    def computed(self) -> list[list[int]]:
        """The numbers of each batch's rows, padding left out."""
        return [[number for number in numbers_in(rows) if number] for rows, _ in self.batches]


def numbers_scored(future: asyncio.Future[Scored]) -> list[int]:
    """The numbers of the rows that a call got scores for."""
    logits = future.result().logits
    np.testing.assert_array_equal(logits[:, 1], 2 * logits[:, 0])
    return logits[:, 0].astype(int).tolist()
