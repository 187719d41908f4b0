"""Which of several engines runs a model fastest. Pure: engines and the clock are handed in."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from serving.errors import ModelRejected
from serving.models.engines.engine import Engine

log = logging.getLogger(__name__)

Load = Callable[[], Engine]

# Of each batch size, after one that warms up. Other work of the machine only ever adds time: the least is the engine's.
_RUNS, _SECONDS = 10, 0.1

Seconds = Mapping[int, float]
"""Of a batch, by its size."""


class Memory(Protocol):
    """What was measured before, on this machine and in these versions."""

    def recall(self) -> str | None:
        """The name of the engine that was fastest; None where that is not known."""

    def keep(self, fastest: str, measured: Mapping[str, Seconds]) -> None:
        """Keeps a measurement for the next time."""


class Trial(NamedTuple):
    """What candidates have to do, and how well the one chosen does it is looked at."""

    accept: Callable[[Engine], None]
    """Raises ModelRejected where an engine's answers are not the model's."""
    batches: Sequence[NDArray[np.uint8]]
    """Of the sizes that are measured, each uint8 [N, height, width, channels]."""
    clock: Callable[[], float]


def choose(model: str, candidates: Mapping[str, Load], trial: Trial, memory: Memory) -> Engine:
    """Of `candidates`, by name, the fastest whose answers are accepted; which, and by how much, is said in one line.

    Measures only where there are several such and `memory` has no answer. Raises ModelRejected where there is none.
    """
    refused: dict[str, str] = {}
    if (known := memory.recall()) and known in candidates:
        if engine := _passing(known, candidates[known], trial, refused):
            log.info("%s runs on %s, which was fastest when it was measured", model, known)
            return engine
        candidates = {name: load for name, load in candidates.items() if name != known}
    passed = {name: engine for name, load in candidates.items() if (engine := _passing(name, load, trial, refused))}
    if not passed:
        raise ModelRejected(" ".join(f"{name}: {reason}" for name, reason in refused.items()))
    for name, reason in refused.items():
        log.warning("%s does not run on %s: %s", model, name, reason)
    if len(passed) == 1:
        return next(iter(passed.values()))
    measured = {name: measure(engine, trial.batches, trial.clock) for name, engine in passed.items()}
    best = fastest(measured)
    log.info("%s runs on %s: %s", model, best, "; ".join(f"{name} {_said(each)}" for name, each in measured.items()))
    memory.keep(best, measured)
    return passed[best]


def measure(engine: Engine, batches: Sequence[NDArray[np.uint8]], clock: Callable[[], float]) -> Seconds:
    """The least that each of `batches` takes."""
    seconds = {}
    for batch in batches:
        engine.run(batch)
        began = clock()
        taken: list[float] = []
        while len(taken) < _RUNS and clock() - began < _SECONDS:
            started = clock()
            engine.run(batch)
            taken.append(clock() - started)
        seconds[len(batch)] = min(taken)
    return seconds


def fastest(measured: Mapping[str, Seconds]) -> str:
    """Whose times are least in proportion, every size counting alike: the least geometric mean."""
    return min(measured, key=lambda name: math.prod(measured[name].values()))


def _passing(name: str, load: Load, trial: Trial, refused: dict[str, str]) -> Engine | None:
    """The engine of a candidate that is accepted; of another, None, and the reason in `refused`."""
    try:
        engine = load()
        trial.accept(engine)
    except ModelRejected as error:
        refused[name] = str(error)
        return None
    return engine


def _said(seconds: Seconds) -> str:
    return ", ".join(f"{1000 * each:.3g} ms for {size}" for size, each in seconds.items())
