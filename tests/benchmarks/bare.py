"""What answers cost without a server: a loop in one process that decodes, cuts views and runs the engine."""

import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np

from protos.classification_pb2 import Views
from protos.model_card_pb2 import ModelCard
from serving.models.card import Engine
from serving.pipeline.plans import PLANS
from tests.benchmarks import pictures

SIZES = (8, 16, 32, 64)
"""Batches of the large network that are tried."""


def best_size(engine: Engine, card: ModelCard) -> int:
    """Of SIZES the one that gives most rows a second."""
    return max(SIZES, key=lambda size: rows_per_second(engine, card, size))


def rows_per_second(engine: Engine, card: ModelCard, size: int) -> float:
    """Of one batch, after another that warms up."""
    rows = np.zeros((size, card.input.height, card.input.width, card.input.channels), np.uint8)
    engine.run(rows)
    started = time.perf_counter()
    engine.run(rows)
    return size / (time.perf_counter() - started)


def answering(
    engine: Engine, card: ModelCard, files: Sequence[bytes], views: Views, rows: int
) -> tuple[Callable[[], object], int]:
    """A piece of work that answers some pictures of `files`, in a batch of about so many rows; and how many."""
    count = max(1, rows // len(PLANS[views]))
    endless = itertools.cycle(files)

    def work() -> object:
        return engine.run(np.concatenate([pictures.cut(next(endless), card, views) for _ in range(count)]))

    return work, count
