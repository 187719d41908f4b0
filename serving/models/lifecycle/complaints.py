"""What is wrong is told when it begins or changes, and not at every look."""

import logging
from collections.abc import Mapping


class Complaints:
    """Remembers what was told last."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told: dict[str, str] = {}

    def are(self, now: Mapping[str, str]) -> None:
        """What is wrong now, by what it is about: errors that are new or other than before go to the log."""
        for about, what in now.items():
            if self._told.get(about) != what:
                self._log.error("%s: %s", about, what)
        self._told = dict(now)
