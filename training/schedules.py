"""How the learning rate changes, as functions of the recipe and of what has happened so far."""

from collections.abc import Sequence

import keras
from keras import ops
from keras.optimizers import schedules

from training.recipes.recipe import Recipe


def learning_rate(recipe: Recipe, steps: int) -> schedules.LearningRateSchedule | float:
    """What an optimiser is given, for epochs of `steps` steps. Under the plateau schedule it is the
    first rate: plateau_rate says what each epoch's is.
    """
    rate = recipe.learning_rate
    warmup = recipe.warmup * steps
    match recipe.schedule:
        case "cosine":
            after = schedules.CosineDecay(rate, max(1, recipe.epochs * steps - warmup))
        case "steps" if recipe.milestones:
            rates = [rate * recipe.decay**count for count in range(len(recipe.milestones) + 1)]
            # Keras changes the rate behind a boundary, not at it.
            last_steps = [each * steps - warmup - 1 for each in recipe.milestones]
            after = schedules.PiecewiseConstantDecay(last_steps, rates)
        case _:
            return Warmup(rate, warmup) if warmup else rate
    return Warmup(rate, warmup, after) if warmup else after


def plateau_rate(recipe: Recipe, errors: Sequence[float]) -> float:
    """The learning rate after epochs with these validation `errors`: it falls by `decay` whenever the
    lowest error has stood for `patience` epochs (Krizhevsky et al. 2012, section 5).
    """
    rate, best, waited = recipe.learning_rate, float("inf"), 0
    for error in errors:
        best, waited = (error, 0) if error < best else (best, waited + 1)
        if waited == recipe.patience:
            rate, waited = rate * recipe.decay, 0
    return rate


@keras.saving.register_keras_serializable("tencrop")
class Warmup(schedules.LearningRateSchedule):
    """Rises in equal steps to `rate`, reached after `warmup` steps; from there on `after`, or `rate` for good."""

    def __init__(self, rate: float, warmup: int, after: schedules.LearningRateSchedule | None = None) -> None:
        self.rate, self.warmup, self.after = rate, warmup, after

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rising = self.rate * (step + 1) / self.warmup
        after = self.rate if self.after is None else self.after(ops.maximum(step - self.warmup, 0))
        return ops.where(step < self.warmup, rising, after)

    def get_config(self):
        return {"rate": self.rate, "warmup": self.warmup, "after": self.after}
