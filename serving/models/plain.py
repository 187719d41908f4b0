"""One version of one model that came without a card: a SavedModel that is asked signature by signature."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from serving.models.holds import Holds
from serving.models.signature_calls import SignatureCalls
from serving.models.signatures import Signatures


class PlainVersion:
    """Answers tensors, each call in a turn of its own. What pictures and classes are, only a card would tell."""

    def __init__(
        self, name: str, version: int, signatures: Signatures, threads: int, clock: Callable[[], float]
    ) -> None:
        """`signatures` are loaded, and end with it. So many `threads` of its own run calls side by side."""
        self.name = name
        self.version = version
        self.holds = Holds()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"signatures-{name}-{version}")
        self.signature_calls = SignatureCalls(signatures, self._threads, clock, at_once=threads)

    @property
    def queued_rows(self) -> int:
        """None: it has no batches that rows could wait for."""
        return 0

    @property
    def ails(self) -> str:
        """Nothing that could be known: a call that fails says nothing of others."""
        return ""

    async def close(self, patience: float | None = 1.0) -> bool:
        """See LoadedVersion.close."""
        self._threads.shutdown(wait=False)
        try:
            await asyncio.wait_for(self.signature_calls.drained(), patience)
        except asyncio.TimeoutError:
            return False
        self.signature_calls.signatures.close()
        return True
