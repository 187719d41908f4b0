"""What every call passes before its method, whatever the door: a token, and room."""

from serving.callers import ANYBODY, caller
from serving.doors.locks.doorkeeper import Doorkeeper
from serving.errors import Overloaded, TencropError
from serving.metrics import Metrics


class Entrance:
    """Lets calls in, and knows how many there are."""

    def __init__(self, doorkeeper: Doorkeeper | None, max_calls: int, metrics: Metrics) -> None:
        """Without a `doorkeeper` anybody may come in, as long as there are fewer than `max_calls` calls."""
        self._doorkeeper = doorkeeper
        self._max_calls = max_calls
        self._metrics = metrics
        self.calls = 0
        """That are in now."""

    def enter(self, authorization: str | None) -> None:
        """Lets the call that runs now in, as the caller who shows that header; to be followed by one `leave`.

        Raises Unauthenticated or Overloaded, and counts that.
        """
        try:
            admitted = self._doorkeeper.admit(authorization) if self._doorkeeper else ANYBODY
            if self.calls >= self._max_calls:
                raise Overloaded(f"At most {self._max_calls} calls are answered at a time; so many are. Come again.")
        except TencropError as error:
            self._metrics.rejections.labels(type(error).__name__).inc()
            raise
        caller.set(admitted)
        self.calls += 1

    def leave(self) -> None:
        """A call that was let in has ended."""
        self.calls -= 1

    def seconds_until_more(self) -> float:
        """Takes one message more of the stream that runs now; 0, or the seconds until its caller may send it. Raises
        Unauthenticated where the caller's token was taken back.
        """
        return self._doorkeeper.seconds_until_more(caller.get()) if self._doorkeeper else 0.0
