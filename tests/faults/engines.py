"""Engines that misbehave, in ways that a test chooses by the pictures it sends."""

import numpy as np

from serving.models.engines.engine import Engine
from tests.serving.fakes import FakeClock, brightness_logits


class InTurns(Engine):
    """Runs its first batch on one engine, and every later one on another."""

    def __init__(self, first, later) -> None:
        self._engines = [later, first]

    def run(self, rows: np.ndarray) -> np.ndarray:
        engine = self._engines.pop() if len(self._engines) > 1 else self._engines[0]
        return engine.run(rows)


class Spoiling(Engine):
    """Scores by brightness, but for batches with a poisonous row in them, whose scores it spoils."""

    POISON = 77

    def __init__(self, spoil) -> None:
        """`spoil` gets the logits [rows, classes] and which rows are poisonous, and returns what the engine gives."""
        self._spoil = spoil

    def run(self, rows: np.ndarray) -> np.ndarray:
        logits, poisonous = brightness_logits(rows), rows[:, 0, 0, 0] == self.POISON
        return self._spoil(logits, poisonous) if poisonous.any() else logits


class Slow(Engine):
    """Scores by brightness, in so many seconds of a clock that the test holds in its hand."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds

    def run(self, rows: np.ndarray) -> np.ndarray:
        self._clock.advance(self._seconds)
        return brightness_logits(rows)
