"""How often a caller may ask: a token bucket (Turner 1986)."""


class Bucket:
    """Lets `per_second` requests through, and after a pause up to a second's worth of them at once."""

    def __init__(self, per_second: float, now: float) -> None:
        """`now` is a moment in seconds, on the clock that `take` is told of too."""
        self._per_second = per_second
        self._room = max(1.0, per_second)
        self._left = self._room
        self._counted = now

    def take(self, now: float) -> float:
        """Takes one request and returns 0; where there is none, the seconds until there will be."""
        self._left = min(self._room, self._left + (now - self._counted) * self._per_second)
        self._counted = now
        if self._left < 1:
            return (1 - self._left) / self._per_second
        self._left -= 1
        return 0.0
