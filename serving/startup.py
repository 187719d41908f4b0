"""Where the seconds go until a server is ready."""

from collections.abc import Callable


class Startup:
    """A stage begins where the one before it ended, the first where this is made. As text, "4.1 s: 2.1 s imports, …"
    in the order of the stages.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = self._last = clock()
        self._stages: list[str] = []

    def ended(self, stage: str) -> None:
        """What was done since the stage before."""
        now = self._clock()
        self._stages.append(f"{now - self._last:.1f} s {stage}")
        self._last = now

    def __str__(self) -> str:
        return f"{self._last - self._began:.1f} s: {', '.join(self._stages)}"
