"""From a recipe and a data set to a trained model."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training import architectures
from training.batches import Statistics
from training.data import DataSet
from training.descent import compile_for_training, take_averages
from training.distribution import check_agreement, for_training, in_step, is_chief, share_out
from training.keeper import CHECKPOINT, FollowPlateaus, Keeper, StopWhenDiverged
from training.precision import computing_in
from training.preprocessing import Preprocessing, behind
from training.recipes.recipe import Recipe
from training.sources import clear_stops, source_of, validation_of
from training.weights import Init


@dataclass(frozen=True)
class Trained:
    """A model and where it comes from."""

    model: keras.Model
    """uint8 [N, height, width, channels] from 0 to 255 -> float32 logits [N, classes]."""
    recipe: Recipe
    seed: int
    history: list[dict[str, float]]
    """A row an epoch: epoch, learning_rate (of its last step), loss, top_1_error, val_loss and val_top_1_error where
    pictures are held out for validation, seconds, cpu_seconds (of all cores together)."""

    def spent(self, unit: str) -> float:
        """Sum over the epochs, in all the sittings it took, of "seconds" or "cpu_seconds"."""
        return sum(row[unit] for row in self.history)


def fit(
    recipe: Recipe,
    data: DataSet,
    seed: int,
    run_directory: Path,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    strategy: tf.distribute.Strategy | None = None,
    init: Init | None = None,
) -> Trained:
    """Trains, or goes on from the checkpoint in `run_directory` if there is one; on one device, or on those
    of `strategy` in step; from weights drawn at random, or those of `init`.

    After each epoch, and at times within one, the checkpoint is replaced; TensorBoard's logs grow
    in `run_directory/tensorboard`. Interrupted at any moment and started again on the same
    machine, a run ends on a CPU with the very weights of one that was not interrupted.

    Sets the global seed of Keras, which the first weights are drawn from.

    The caller keeps other processes out of `run_directory`, but for the workers of `strategy`, who share it.

    Raises BadRecipe, UnknownName where the architecture or one of its options is not known,
    RecipeChanged where the checkpoint is of another run, WeightsUnusable where those of `init` do not
    fit, and Diverged; on several machines also BadCluster where they do not agree, and WorkerLost.
    """
    strategy = strategy or tf.distribute.get_strategy()
    run_directory.mkdir(parents=True, exist_ok=True)
    run = describe_run(recipe, data, seed, init)
    if recipe.validation:
        data = data.hold_out(max(1, round(recipe.validation * len(data.train))))
    source = source_of(data, recipe)
    stream = partial(share_out, batch_size=recipe.batch_size, strategy=strategy)
    keras.utils.set_random_seed(seed)
    chief = is_chief(strategy)
    keeper = Keeper(run_directory / CHECKPOINT, run, writes=chief)
    with in_step(strategy), clear_stops(source):
        with strategy.scope():
            served, learning = make_models(recipe, len(data.labels), data.channels, source.statistics(), init)
            learning = for_training(learning, strategy)
            compile_for_training(learning, recipe, source.steps)
            reached = keeper.restore(learning)
        check_agreement(strategy, run, reached.epochs * source.steps + reached.steps)
        # Of several devices each measures as many.
        devices = strategy.num_replicas_in_sync
        measured = len(data.test) // devices * devices
        validation = validation_of(data, recipe, measured) if recipe.validation else None
        watching = [
            StopWhenDiverged(keeper),
            *([FollowPlateaus(recipe, keeper)] if recipe.schedule == "plateau" else []),
            *([keras.callbacks.TensorBoard(run_directory / "tensorboard", write_graph=False)] if chief else []),
            keeper,
            *callbacks,
        ]
        # An epoch that was begun before is gone on with by itself: it has fewer steps than the others.
        for last_epoch in [reached.epochs + 1, recipe.epochs] if reached.steps else [recipe.epochs]:
            reached = keeper.reached
            if reached.epochs == recipe.epochs:
                break
            learning.fit(
                stream(source.batches(seed, reached.epochs).skip(reached.steps)),
                initial_epoch=reached.epochs,
                epochs=last_epoch,
                steps_per_epoch=source.steps - reached.steps,
                validation_data=validation and stream(validation),
                validation_steps=validation and len(validation),
                shuffle=False,  # batches() does
                verbose=0,
                callbacks=watching,
            )
        take_averages(learning)
    return Trained(served, recipe, seed, keeper.reached.history)


def describe_run(recipe: Recipe, data: DataSet, seed: int, init: Init | None = None) -> dict[str, Any]:
    """What makes a run the run it is, in JSON's types."""
    about_data = {"data": data.name, "labels": list(data.labels), "training pictures": len(data.train)}
    return recipe.as_dict() | about_data | {"seed": seed, "init": str(init or "")}


def make_models(
    recipe: Recipe, classes: int, channels: int, statistics: Statistics, init: Init | None = None
) -> tuple[keras.Model, keras.Model]:
    """The untrained network behind its scaling, to be served and to be trained, of the same layers:
    uint8 [N, side, side, channels] -> float32 logits, [N, classes] of the one, and of the other the same,
    or [N, heads, classes] where the network has auxiliary heads.

    Each channel is brought to mean 0 and standard deviation 1, over canvases with their margins, by `statistics`.
    """
    shape = (recipe.input_side, recipe.input_side, channels)
    with computing_in(recipe.mixed_precision):
        network = architectures.build(recipe.architecture, classes, shape, **recipe.options)
    if init is not None:
        init(network)
    deviation = np.maximum(statistics.deviation, 1.0)
    prepared = Preprocessing(statistics.mean.tolist(), (1 / deviation).tolist())
    scaled = partial(behind, preprocessing=prepared, input_shape=shape)
    if not isinstance(network.output, dict):
        model = scaled(network)
        return model, model
    main, *others = sorted(network.output, key=lambda name: (name.startswith("aux"), name))
    together = keras.ops.stack([network.output[name] for name in (main, *others)], axis=1)
    return scaled(keras.Model(network.input, network.output[main])), scaled(keras.Model(network.input, together))
