"""What becomes of pictures that cannot be used: each is named and skipped, until there are too many."""

import logging
from threading import Lock

from training.errors import DataUnusable

TOLERATED = 0.01
"""The share of broken pictures that is put up with, where nothing else is said."""

_SHOWN = 5

_log = logging.getLogger("tencrop.data")


class Broken:
    """The broken ones among `pictures` pictures, called `whole` in messages; may be shared by threads.

    A share of `tolerated` of them is skipped: of fewer than 1 / `tolerated` pictures, none.
    """

    def __init__(self, whole: str, pictures: int, tolerated: float) -> None:
        self.names: list[str] = []
        self._whole, self._pictures, self._tolerated = whole, pictures, tolerated
        self._lock = Lock()

    def add(self, name: str, fault: str, quietly: bool = False) -> None:
        """Counts the picture called `name`, and says that it is skipped unless `quietly`.

        Raises DataUnusable where that is one too many.
        """
        with self._lock:
            self.names.append(name)
            if len(self.names) > int(self._tolerated * self._pictures):
                raise self._too_many(fault)
        if not quietly:
            _log.warning("Skipped %s: %s", name, fault)

    def say_count(self) -> None:
        """Says how many were skipped, if any."""
        if self.names:
            _log.warning("Skipped %d of %s, which cannot be used.", len(self.names), self._whole)

    def too_few(self) -> DataUnusable:
        """The error where those that are whole do not suffice, however many may be broken."""
        return DataUnusable(
            f"An epoch is made of whole pictures, each at most twice; of {self._whole} too few are: {len(self.names)} "
            "are broken. Mend them, or take fewer steps or smaller batches."
        )

    def _too_many(self, fault: str) -> DataUnusable:
        names = ", ".join(self.names[:_SHOWN]) + (", ..." if len(self.names) > _SHOWN else "")
        return DataUnusable(
            f"Of {self._whole}, a share of {self._tolerated:g} may be broken, which is "
            f"{int(self._tolerated * self._pictures)}; {len(self.names)} are: {names} (the last: {fault}). "
            "Mend or remove them, or raise --skip-corrupt."
        )
