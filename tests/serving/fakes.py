"""Time, engines and observers that a test holds in its hand, and tiny cards to go with them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from protos.classification_pb2 import VOTE_MEAN_PROBABILITY
from protos.model_card_pb2 import Geometry, Input, ModelCard
from serving.models.engines.engine import Engine
from serving.models.servable import Batching, Servable

LABELS = ("boot", "bag", "shirt")
PATIENCE = 30.0
"""Seconds after which a test that waits for something gives up. Nothing ever takes that long."""


class FakeClock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0  # before any deadline of a real server, whose clock began with the machine

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class RecordingObserver:
    """Remembers what a batch queue reported."""

    batches: list[tuple[int, int]] = field(default_factory=list)
    """Rows and padding of each."""
    dropped: int = 0
    for_nobody: int = 0

    def batch_started(self, rows: int, padding: int) -> None:
        self.batches.append((rows, padding))

    def rows_dropped(self, rows: int) -> None:
        self.dropped += rows

    def rows_computed_for_nobody(self, rows: int) -> None:
        self.for_nobody += rows


def brightness_logits(rows: np.ndarray) -> np.ndarray:
    """Three logits a row, told apart by its mean brightness from 0 to 1: dark, middling, bright."""
    mean = rows.reshape(len(rows), -1).mean(axis=1, dtype=np.float32)[:, None] / np.float32(255)
    return -8 * np.abs(mean - np.array([0, 0.5, 1], np.float32))


class HeldEngine(Engine):
    """An engine that waits in every batch until the test lets it go on, and remembers its batches."""

    def __init__(self, score: Callable[[np.ndarray], np.ndarray] = brightness_logits) -> None:
        self.batches: list[np.ndarray] = []
        self._score = score
        self._entered = threading.Semaphore(0)
        self._open = threading.Event()

    def run(self, rows: np.ndarray) -> np.ndarray:
        self.batches.append(rows)
        self._entered.release()
        assert self._open.wait(PATIENCE), "the test never let the engine go on"
        return self._score(rows)

    def wait_until_busy(self) -> None:
        """Returns once a batch more has entered the engine."""
        assert self._entered.acquire(timeout=PATIENCE), "no batch came"

    def let_go(self) -> None:
        """Lets this batch and all to come pass."""
        self._open.set()


@dataclass
class FreeEngine(Engine):
    """An engine of plain numpy."""

    score: Callable[[np.ndarray], np.ndarray] = brightness_logits
    batches: list[np.ndarray] = field(default_factory=list)

    def run(self, rows: np.ndarray) -> np.ndarray:
        self.batches.append(rows)
        return self.score(rows)


def fake_card(name: str = "shades", labels=LABELS, **fields) -> ModelCard:
    """A card of a grey 8x8 model with nothing to crop, whose files and golden inputs nobody checks."""
    fields = {"temperature": 1.0, "vote": VOTE_MEAN_PROBABILITY, **fields}
    geometry = Geometry(shorter_side=8)
    return ModelCard(name=name, input=Input(height=8, width=8, channels=1), labels=labels, geometry=geometry, **fields)


def fake_servable(name: str = "shades", version: int = 1, engine=None, observer=None, **options) -> Servable:
    """A servable of numpy. `options` are fake_card's, and `batching`, `clock`, `dense` and `signatures`."""
    batching = options.pop("batching", Batching.of(max_batch_size=8))
    clock = options.pop("clock", FakeClock())
    dense, signatures = options.pop("dense", None), options.pop("signatures", None)
    card = fake_card(name, **options)
    engine, observer = engine or FreeEngine(), observer or RecordingObserver()
    return Servable(name, version, card, engine, batching, clock, observer, dense, signatures=signatures)
