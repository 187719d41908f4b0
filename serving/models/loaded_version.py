"""What every version that is loaded has, whether a card lies beside its SavedModel or not."""

from typing import Protocol

from serving.models.holds import Holds
from serving.models.signature_calls import SignatureCalls


class LoadedVersion(Protocol):
    """A version that answers tensors. One with a card, a Servable, answers pictures too; one without is a
    PlainVersion.
    """

    name: str
    version: int
    holds: Holds
    signature_calls: SignatureCalls

    @property
    def queued_rows(self) -> int:
        """Rows that wait for a batch."""

    @property
    def ails(self) -> str:
        """What is wrong with it, as far as is known; empty where nothing is."""

    async def close(self, patience: float | None = 1.0) -> bool:
        """Waits at most `patience` seconds for what runs, None for as long as it takes, and gives threads and memory
        back; says whether it came to rest. Nothing may be asked meanwhile.
        """
