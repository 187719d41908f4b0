"""One version of one model, loaded, held against its card, warmed up, with its queue."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protos.classification_pb2 import PRIORITY_INTERACTIVE, Priority
from protos.model_card_pb2 import ModelCard
from serving.models import card as cards
from serving.models.batching.batch_queue import BatchQueue, Observer
from serving.models.batching.waiting import Scored
from serving.models.batching.warming import met
from serving.models.declaration import ModelDeclaration
from serving.models.dense import ROWS, open_dense, rows_that_may_wait
from serving.models.holds import Holds
from serving.models.signature_calls import SignatureCalls
from serving.models.signatures import NoSignatures, Signatures

log = logging.getLogger(__name__)

EngineFactory = Callable[[Path], cards.Engine]


@dataclass(frozen=True)
class Batching:
    """How a servable forms its batches."""

    allowed_batch_sizes: tuple[int, ...]
    """Ascending; the last is the largest batch there is."""
    max_queue_rows: int = 1024

    @classmethod
    def of(cls, max_batch_size: int = 64, max_queue_rows: int = 1024) -> "Batching":
        """With powers of two up to `max_batch_size`, and itself: at most half of a batch is padding."""
        powers = (1 << exponent for exponent in range(max_batch_size.bit_length()))
        return cls((*(size for size in powers if size < max_batch_size), max_batch_size), max_queue_rows)

    def declared(self, declared: ModelDeclaration) -> "Batching":
        """This, but for what models.yaml says of one model."""
        largest, room = declared.max_batch_size, declared.max_queue_rows or self.max_queue_rows
        if declared.allowed_batch_sizes:
            return Batching(tuple(declared.allowed_batch_sizes), room)
        return Batching.of(largest or self.allowed_batch_sizes[-1], room)


class Servable:
    """A version that is ready to answer. Load it with `Servable.load`."""

    def __init__(
        self,
        name: str,
        version: int,
        card: ModelCard,
        engine: cards.Engine,
        batching: Batching,
        clock: Callable[[], float],
        observer: Observer,
        dense: cards.Engine | None = None,
        threads: ThreadPoolExecutor | None = None,
        signatures: Signatures | None = None,
    ) -> None:
        """`dense` runs the same network as fully convolutional. `signatures` are None where there is no SavedModel to
        be asked tensor by tensor. `threads` are those of the servable that this one is the dense side of; any other
        has its own.
        """
        self.name = name
        self.version = version
        self.card = card
        # Equal for servables that look at pictures the same way, so that they can share views.
        self.look = card.input.SerializeToString() + card.geometry.SerializeToString()
        self.holds = Holds()
        self._engine = engine
        self._loaded: list[cards.Engine] = []
        """Engines that end with it. Those that were handed in are whose they were: evaluation asks them again."""
        # Threads of its own, one a batch in flight: a model that hangs keeps no other from answering.
        self._threads = threads or ThreadPoolExecutor(
            engine.batches_in_flight, thread_name_prefix=f"engine-{name}-{version}"
        )
        self.signature_calls = SignatureCalls(signatures or NoSignatures(), self._threads, clock)
        self._queue = BatchQueue(
            self._run,
            clock=clock,
            observer=observer,
            allowed_batch_sizes=batching.allowed_batch_sizes,
            max_queue_rows=batching.max_queue_rows,
            max_batches_in_flight=engine.batches_in_flight,
        )
        self.dense: Servable | None = None
        """The same version, whose rows are whole canvases; None where it was not exported for that. It has a queue of
        its own, in which each call is a batch, and the same threads.
        """
        if dense is not None:
            one_canvas = Batching((ROWS,), rows_that_may_wait(card, batching.max_queue_rows))
            self.dense = Servable(name, version, card, dense, one_canvas, clock, observer, threads=self._threads)

    @classmethod
    def load(
        cls,
        directory: Path,
        engine_factory: EngineFactory,
        batching: Batching,
        clock: Callable[[], float],
        observer: Observer,
        dense_factory: EngineFactory,
        signatures: Callable[[Path], Signatures] | None = None,
    ) -> "Servable":
        """The model in `directory`, which is .../NAME/VERSION. Blocks until it is warm, and batches are no larger
        than pay. `dense_factory` is asked where the card promises dense views; without `signatures`, none but
        pictures are answered.

        Raises ModelRejected where the model does not match its card.
        """
        card = cards.read(directory)
        engine = cards.validate(card, directory, engine_factory)
        dense = open_dense(card, directory, dense_factory)
        name, version = directory.parent.name, int(directory.name)
        described = signatures(directory) if signatures else None
        servable = cls(name, version, card, engine, batching, clock, observer, dense, signatures=described)
        servable._loaded = [engine, dense] if dense else [engine]
        servable._warm_up(batching, clock)
        return servable

    def meet(self, rows: NDArray[np.uint8]) -> None:
        """Has the engine run `rows` of a version's own, uint8 [N, height, width, channels], before there are calls.
        Blocks.
        """
        self._engine.run(rows)

    @property
    def queued_rows(self) -> int:
        """Rows that wait for this servable, canvases too."""
        return self._queue.queued_rows + (self.dense.queued_rows if self.dense else 0)

    @property
    def ails(self) -> str:
        """What is wrong with it, as far as its last batches tell; empty where nothing is."""
        return self._queue.ails

    def submit(
        self,
        rows: NDArray[np.uint8],
        deadline: float,
        priority: Priority = PRIORITY_INTERACTIVE,
        arrived: float | None = None,
    ) -> asyncio.Future[Scored]:
        """See BatchQueue.submit."""
        return self._queue.submit(rows, deadline, priority, arrived)

    def check(self, rows: int, deadline: float, priority: Priority, arrived: float) -> None:
        """Raises what `submit` would to so many rows now."""
        self._queue.check(rows, deadline, priority, arrived)

    def has_time_for(self, rows: int, deadline: float, priority: Priority) -> bool:
        """See BatchQueue.has_time_for."""
        return self._queue.has_time_for(rows, deadline, priority)

    async def close(self, patience: float | None = 1.0) -> bool:
        """Waits at most `patience` seconds for the batch that runs, None for as long as it takes, and gives threads and
        memory back; says whether the engine came to rest. One that did not keeps the process from ending by itself.
        Nothing may be submitted meanwhile.
        """
        self._threads.shutdown(wait=False)
        try:
            await asyncio.wait_for(self._drained(), patience)
        except asyncio.TimeoutError:
            return False
        for engine in self._loaded:
            engine.close()
        self.signature_calls.signatures.close()
        return True

    def _warm_up(self, batching: Batching, clock: Callable[[], float]) -> None:
        """Has every stream of the engine meet all sizes of batches that pay, and the queue know how long they take."""
        shape = (self.card.input.height, self.card.input.width, self.card.input.channels)

        def meet(size: int) -> None:
            rows = np.zeros((size, *shape), np.uint8)
            list(self._threads.map(self._engine.run, [rows] * self._engine.batches_in_flight))

        def timed(size: int) -> float:
            rows = np.zeros((size, *shape), np.uint8)
            started = clock()
            self._engine.run(rows)
            return clock() - started

        largest = self._queue.expect(met(meet, timed, batching.allowed_batch_sizes))
        if largest < batching.allowed_batch_sizes[-1]:
            told = "%s version %s: batches of at most %s rows, as long as larger ones pay no more"
            log.info(told, self.name, self.version, largest)

    async def _drained(self) -> None:
        await self._queue.drained()
        await self.signature_calls.drained()
        if self.dense:
            await self.dense._drained()

    async def _run(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._engine.run, rows)
