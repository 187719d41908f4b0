"""The stream of training batches, which depends on nothing but the data, the recipe, the seed and the epoch."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.augmentation.crops import random_crops
from training.errors import BadRecipe
from training.recipes.recipe import Recipe


def steps_per_epoch(pictures: int, recipe: Recipe) -> int:
    """Batches that `pictures` fill. Raises BadRecipe where they fill none."""
    steps = pictures // recipe.batch_size
    if steps == 0:
        raise BadRecipe(
            f"An epoch has at least one batch; {pictures} training pictures do not fill one of {recipe.batch_size}. "
            "Lower batch_size."
        )
    return steps


def batches(
    canvases: NDArray[np.uint8], class_ids: NDArray[np.int32], recipe: Recipe, seed: int, first_epoch: int
) -> tf.data.Dataset:
    """Batches from `first_epoch` to the recipe's last: (uint8 [batch, side, side, channels], int32 [batch]).

    Each epoch has its own order and its own crops, both drawn from (seed, epoch) alone: a stream
    that starts at a later epoch is the tail of the stream that started at the first.
    """
    steps = steps_per_epoch(len(canvases), recipe)
    canvases, class_ids = tf.constant(canvases), tf.constant(class_ids)

    def orders(epoch: tf.Tensor) -> tf.data.Dataset:
        epoch_seed = tf.random.fold_in([seed, 0], epoch)
        order = tf.random.experimental.stateless_shuffle(tf.range(len(canvases)), epoch_seed)
        return tf.data.Dataset.range(steps).map(
            lambda step: (
                order[step * recipe.batch_size : (step + 1) * recipe.batch_size],
                tf.random.fold_in(epoch_seed, step),
            )
        )

    def crops(indices: tf.Tensor, step_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        chosen = tf.gather(canvases, indices)
        rows = random_crops(chosen, recipe.input_side, recipe.translate, recipe.mirror, step_seed)
        return rows, tf.gather(class_ids, indices)

    epochs = tf.data.Dataset.range(first_epoch, recipe.epochs)
    return epochs.flat_map(orders).map(crops, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
