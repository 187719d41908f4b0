"""A run on disk between two steps: everything that the rest of the run depends on.

One .npz file holds the variables of the model (states of random layers among them) and of
the optimiser (the step count among them), and what the run is: recipe, seed and data.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.durable import replacing
from training.errors import RecipeChanged


@dataclass(frozen=True)
class Reached:
    """How far a run has come."""

    history: list[dict[str, float]] = field(default_factory=list)
    """What was measured in each whole epoch."""
    steps: int = 0
    """Of the epoch after them."""
    so_far: dict[str, float] = field(default_factory=dict)
    """What was measured in these steps: means, and the seconds that they took."""

    @property
    def epochs(self) -> int:
        return len(self.history)


def save(path: Path, model: keras.Model, run: dict[str, Any], reached: Reached) -> None:
    """Replaces the checkpoint at `path`; a kill at any moment leaves the old one or the new one.

    `model` is compiled and built; `run` says what it is, in JSON's types.
    """
    arrays = {f"variable_{index}": np.asarray(variable) for index, variable in enumerate(_variables(model))}
    about = json.dumps({"run": run, "reached": asdict(reached)})
    with replacing(path) as file:
        np.savez(file, about=np.array(about), **arrays)


def restore(path: Path, model: keras.Model, run: dict[str, Any]) -> Reached:
    """Gives `model` the variables at `path`, and says how far the run had come; without a
    checkpoint, leaves the model as it is.

    Raises RecipeChanged where the checkpoint is of another run.
    """
    if not path.exists():
        return Reached()
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        _check_same(about["run"], run, path)
        variables = _variables(model)
        arrays = [file[name] for name in file.files if name != "about"]
    if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
        raise RecipeChanged(
            f"A run goes on with the network it began with; {path} has variables of other shapes than the "
            "architecture makes now. Remove the file to begin anew."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return Reached(**about["reached"])


def _variables(model: keras.Model) -> list[keras.Variable]:
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _check_same(before: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    changes = [
        f"{name} {before.get(name)} -> {now.get(name)}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    if changes:
        raise RecipeChanged(
            f"An interrupted run goes on with the numbers it began with; since {path} was written, there changed: "
            f"{', '.join(changes)}. Start it as before, take another run directory, or remove the file to begin anew."
        )
