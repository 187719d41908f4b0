"""From a recipe and a data set to a trained model."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training import architectures, canvases, checkpoint
from training.batches import batches, steps_per_epoch
from training.data import DataSet
from training.errors import BadRecipe, Diverged
from training.precision import computing_in
from training.recipes.recipe import Recipe

CHECKPOINT = "checkpoint.npz"


@dataclass(frozen=True)
class Trained:
    """A model and where it comes from."""

    model: keras.Model
    """uint8 [N, height, width, channels] from 0 to 255 -> float32 logits [N, classes]."""
    recipe: Recipe
    seed: int
    seconds: float
    """Spent training, in all the sittings it took."""


def fit(
    recipe: Recipe, data: DataSet, seed: int, run_directory: Path, callbacks: Iterable[keras.callbacks.Callback] = ()
) -> Trained:
    """Trains, or goes on from the checkpoint in `run_directory` if there is one.

    After each epoch the checkpoint is replaced, and TensorBoard's logs grow in
    `run_directory/tensorboard`. Interrupted after any epoch and started again on the same
    machine, a run ends with the very weights of one that was not interrupted.

    Sets the global seed of Keras, which the first weights are drawn from.

    The caller keeps other processes out of `run_directory`.

    Raises BadRecipe, UnknownName where the architecture or one of its options is not known,
    RecipeChanged where the checkpoint is of another run, and Diverged.
    """
    run_directory.mkdir(parents=True, exist_ok=True)
    steps = steps_per_epoch(len(data.train), recipe)
    laid_out = canvases.lay_out(data.train.images, recipe, data.channels)
    keras.utils.set_random_seed(seed)
    model = compile_for_training(make_model(recipe, len(data.labels), laid_out), recipe, steps)
    path = run_directory / CHECKPOINT
    keeper = _Keeper(path, describe_run(recipe, data, seed))
    reached = keeper.restore(model)
    model.fit(
        batches(laid_out, data.train.class_ids, recipe, seed, first_epoch=reached.epochs),
        initial_epoch=reached.epochs,
        epochs=recipe.epochs,
        steps_per_epoch=steps,
        shuffle=False,  # batches() does
        verbose=0,
        callbacks=[
            _StopWhenDiverged(keeper),
            keras.callbacks.TensorBoard(run_directory / "tensorboard", write_graph=False),
            keeper,
            *callbacks,
        ],
    )
    return Trained(model, recipe, seed, keeper.reached.seconds)


def describe_run(recipe: Recipe, data: DataSet, seed: int) -> dict[str, Any]:
    """What makes a run the run it is, in JSON's types."""
    about_data = {"data": data.name, "labels": list(data.labels), "training pictures": len(data.train)}
    return recipe.as_dict() | about_data | {"seed": seed}


def make_model(recipe: Recipe, classes: int, training_canvases: NDArray[np.uint8]) -> keras.Model:
    """The untrained network behind its scaling: uint8 [N, side, side, channels] -> float32 logits [N, classes].

    Each channel is brought to mean 0 and standard deviation 1 over `training_canvases`.
    """
    channels = training_canvases.shape[3]
    shape = (recipe.input_side, recipe.input_side, channels)
    try:
        with computing_in(recipe.mixed_precision):
            network = architectures.build(recipe.architecture, classes, shape, **recipe.options)
    except ValueError as error:  # Keras', of an activation that it does not know, say
        raise BadRecipe(
            f"A network is built from options that fit it; {recipe.architecture} cannot be from "
            f"{dict(recipe.options)}. Correct what Keras names: {error}"
        ) from error
    mean = training_canvases.mean(axis=(0, 1, 2))
    deviation = np.maximum(training_canvases.std(axis=(0, 1, 2)), 1.0)
    return behind_scaling(network, 1 / deviation, -mean / deviation)


def behind_scaling(network: keras.Model, scale: NDArray, offset: NDArray) -> keras.Model:
    """`network` fed with scale * picture + offset, in float32, each [channels]: a model of uint8 pictures."""
    pictures = keras.Input(network.input_shape[1:], dtype="uint8", name="pictures")
    scaling = keras.layers.Rescaling(scale.tolist(), offset.tolist(), dtype="float32", name="scaling")
    return keras.Model(pictures, network(scaling(pictures)))


def compile_for_training(model: keras.Model, recipe: Recipe, steps: int) -> keras.Model:
    """`model` with the recipe's loss and optimiser, for epochs of `steps` steps."""
    for variable in model.trainable_variables:
        if variable.name == "kernel":
            variable.regularizer = keras.regularizers.L2(recipe.l2 / 2)  # Keras' L2(l) has the gradient 2 * l * w
    rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, steps * recipe.epochs)
    optimizer = keras.optimizers.SGD(rate, recipe.momentum, recipe.nesterov)
    if recipe.mixed_precision == "float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=[top_1_error], jit_compile=False)
    return model


def top_1_error(class_ids, logits):
    """1 where the best logit is not the class's, else 0: float32 [N]."""
    best = keras.ops.cast(keras.ops.argmax(logits, axis=-1), class_ids.dtype)
    return keras.ops.cast(keras.ops.not_equal(keras.ops.reshape(class_ids, (-1,)), best), "float32")


class _Keeper(keras.callbacks.Callback):
    """Keeps the run on disk after each epoch."""

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        super().__init__()
        self.path = path
        self._run = run
        self.reached = checkpoint.Reached()

    def restore(self, model: keras.Model) -> checkpoint.Reached:
        self.reached = checkpoint.restore(self.path, model, self._run)
        return self.reached

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        seconds = self.reached.seconds + time.monotonic() - self._began
        self.reached = checkpoint.Reached(epoch + 1, seconds)
        checkpoint.save(self.path, self.model, self._run, self.reached)


class _StopWhenDiverged(keras.callbacks.Callback):
    def __init__(self, keeper: _Keeper) -> None:
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
