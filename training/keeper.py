"""What watches over a run, epoch by epoch: keeps it on disk, stops it when it diverges, slows it on a plateau."""

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training import checkpoint
from training.errors import Diverged
from training.recipes.recipe import Recipe
from training.schedules import plateau_rate

CHECKPOINT = "checkpoint.npz"


class Keeper(keras.callbacks.Callback):
    """Keeps the run on disk after each epoch, or only in mind where another machine `writes`."""

    def __init__(self, path: Path, run: dict[str, Any], writes: bool = True) -> None:
        super().__init__()
        self.path = path
        self._run = run
        self._writes = writes
        self.reached = checkpoint.Reached()

    def restore(self, model: keras.Model) -> checkpoint.Reached:
        self.reached = checkpoint.restore(self.path, model, self._run)
        return self.reached

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.monotonic(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        began, began_cpu = self._began
        spent = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - began_cpu}
        rate = float(self.model.optimizer.learning_rate)
        numbers = {name: float(value) for name, value in logs.items() if name != "learning_rate"}
        row = {"epoch": epoch + 1, "learning_rate": rate, **numbers, **spent}
        self.reached = checkpoint.Reached([*self.reached.history, row])
        if self._writes:
            checkpoint.save(self.path, self.model, self._run, self.reached)


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
        epochs = self._keeper.reached.epochs
        where = f"after removing {self._keeper.path}, which is of epoch {epochs}, or in another run directory"
        raise Diverged(
            f"A loss is a number; in step {batch + 1} of epoch {epochs + 1} it became {logs['loss']}. "
            f"Begin anew with a lower learning_rate{f', {where}' if epochs else ''}."
        )
