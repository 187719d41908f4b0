"""What watches over a run: keeps it on disk, stops it when it diverges, slows it on a plateau."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training import checkpoint
from training.checkpoint import Reached
from training.errors import Diverged
from training.recipes.recipe import Recipe
from training.schedules import plateau_rate

CHECKPOINT = "checkpoint.npz"


PAUSE = 30.0
"""Seconds between two checkpoints within an epoch, at the least."""
_PAUSES = 100
"""A pause is at least so many times as long as the checkpoint before it took to write."""


class Keeper(keras.callbacks.Callback):
    """Keeps the run on disk after each epoch and, in long ones, now and then; or only in mind where another
    machine `writes`.
    """

    def __init__(self, path: Path, run: dict[str, Any], writes: bool = True) -> None:
        super().__init__()
        self.path = path
        self._run = run
        self._writes = writes
        self.reached = Reached()

    def restore(self, model: keras.Model) -> Reached:
        self.reached = checkpoint.restore(self.path, model, self._run)
        return self.reached

    def step(self, batch: int) -> int:
        """Which step of its epoch, counted from 1, the `batch` of a sitting is, counted from 0."""
        return self._before.steps + batch + 1

    def on_train_begin(self, logs=None):
        self._next = time.monotonic() + PAUSE

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.monotonic(), time.process_time()
        self._before = self.reached

    def on_train_batch_begin(self, batch, logs=None):
        if batch + 1 == self.params["steps"]:
            self._rate = float(self.model.optimizer.learning_rate)

    def on_train_batch_end(self, batch, logs=None):
        steps = batch + 1
        if self._writes and time.monotonic() >= self._next and steps < self.params["steps"]:
            self._keep(Reached(self._before.history, self.step(batch), self._measured(steps, logs)))

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, "learning_rate": self._rate, **self._measured(self.params["steps"], logs)}
        self._keep(Reached([*self._before.history, row]))

    def _measured(self, steps: int, logs: dict[str, float]) -> dict[str, float]:
        """Means and seconds since the epoch began: `logs` of the last `steps`, and what came before them."""
        began, began_cpu = self._began
        spent = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - began_cpu}
        so_far, share = self._before.so_far, steps / (self._before.steps + steps)
        means = {name: float(value) for name, value in logs.items() if name != "learning_rate"}
        # Validation is of the end of the epoch alone.
        means = {name: so_far.get(name, mean) * (1 - share) + mean * share for name, mean in means.items()}
        return means | {name: so_far.get(name, 0.0) + seconds for name, seconds in spent.items()}

    def _keep(self, reached: Reached) -> None:
        self.reached = reached
        began = time.monotonic()
        if self._writes:
            checkpoint.save(self.path, self.model, self._run, reached)
        ended = time.monotonic()
        self._next = ended + max(PAUSE, _PAUSES * (ended - began))


class FollowPlateaus(keras.callbacks.Callback):
    """Sets each epoch's learning rate by the validation errors of those before it."""

    def __init__(self, recipe: Recipe, keeper: Keeper) -> None:
        super().__init__()
        self._recipe = recipe
        self._keeper = keeper

    def on_epoch_begin(self, epoch, logs=None):
        errors = [row["val_top_1_error"] for row in self._keeper.reached.history]
        self.model.optimizer.learning_rate = plateau_rate(self._recipe, errors)


class StopWhenDiverged(keras.callbacks.Callback):
    """Raises Diverged after a step whose loss is no number, before the run is kept."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__()
        self._keeper = keeper

    def on_train_batch_end(self, batch, logs=None):
        if np.isfinite(logs["loss"]):
            return
        reached = self._keeper.reached
        last = f"step {reached.steps} of epoch {reached.epochs + 1}" if reached.steps else f"epoch {reached.epochs}"
        where = f"after removing {self._keeper.path}, which is of {last}, or in another run directory"
        raise Diverged(
            f"A loss is a number; in step {self._keeper.step(batch)} of epoch {reached.epochs + 1} it became "
            f"{logs['loss']}. Begin anew with a lower learning_rate{f', {where}' if reached != Reached() else ''}."
        )
