"""How far promises can be trusted, learned from those that were made. Pure."""

_SPREAD = 4.0
"""Deviations that are left for what is not foreseen."""


class Lateness:
    """By how much calls were scored after they were expected to be: the mean and the mean deviation, as Jacobson and
    Karels estimate round trips ("Congestion Avoidance and Control", 1988, appendix A).
    """

    def __init__(self) -> None:
        self._mean = self._deviation = 0.0

    @property
    def margin(self) -> float:
        """Seconds that a promise leaves for what is not foreseen."""
        return max(0.0, self._mean + _SPREAD * self._deviation)

    def learn(self, seconds: float) -> None:
        """A call was scored so much later than expected; earlier where it is negative."""
        error = seconds - self._mean
        self._mean += error / 8
        self._deviation += (abs(error) - self._deviation) / 4
