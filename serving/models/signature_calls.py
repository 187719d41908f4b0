"""Runs signatures on the threads of a servable, beside its batches."""

import asyncio
from collections.abc import Collection
from concurrent.futures import Executor
from typing import Any

from numpy.typing import NDArray

from serving.errors import Overloaded
from serving.models.signatures import Signature, Signatures, Tensors

MAX_WAITING = 64
"""Calls that may wait for one version; each holds its inputs."""


class SignatureCalls:
    """Takes one call at a time, so that a batch waits for no more than one. All of it on the event loop."""

    def __init__(self, signatures: Signatures, threads: Executor) -> None:
        self.signatures = signatures
        self._threads = threads
        self._turn = asyncio.Semaphore(1)
        self._calls = 0

    async def run(self, signature: Signature, inputs: Tensors, outputs: Collection[str]) -> dict[str, NDArray[Any]]:
        """See Signatures.run. Raises Overloaded where too many wait."""
        if self._calls > MAX_WAITING:
            raise Overloaded(
                f"At most {MAX_WAITING} calls wait for the signatures of a version, and so many do. Try again later; "
                "pictures by serving_default are batched, and more of them may wait."
            )
        self._calls += 1
        try:
            async with self._turn:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self.signatures.run, signature, inputs, outputs)
        finally:
            self._calls -= 1
