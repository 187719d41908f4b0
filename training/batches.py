"""The stream of training batches, which depends on nothing but the data, the recipe, the seed and the epoch."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training import canvases
from training.augmentation import seeds
from training.augmentation.affine import Ranges, warp
from training.augmentation.colour import Colours, pca_colour, principal_colours
from training.augmentation.crops import random_crops
from training.data import DataSet
from training.errors import BadRecipe
from training.recipes.recipe import Recipe


class Statistics(NamedTuple):
    """Of the samples of training canvases, margins and all, from 0 to 255: float [channels] each."""

    mean: NDArray
    deviation: NDArray


def statistics_of(canvases: Iterable[NDArray[np.uint8]]) -> Statistics:
    """Of uint8 arrays [..., channels], one after another."""
    count, total, squares = 0, 0.0, 0.0
    for canvas in canvases:
        samples = canvas.reshape(-1, canvas.shape[-1]).astype(np.float64)
        count += len(samples)
        total += samples.sum(axis=0)
        squares += (samples**2).sum(axis=0)
    mean = total / count
    return Statistics(mean, np.sqrt(squares / count - mean**2))


COLOURED = 1000
"""Pictures whose principal colours stand for all."""


class Canvases:
    """Training pictures that are laid out once and kept in memory, a byte a sample."""

    def __init__(self, data: DataSet, recipe: Recipe) -> None:
        """Raises BadRecipe where the pictures do not fill the recipe's epochs."""
        self.steps = steps_per_epoch(len(data.train), recipe)
        self._recipe = recipe
        self._canvases = canvases.lay_out(data.train.images, recipe, data.channels)
        self._class_ids = data.train.class_ids

    def statistics(self) -> Statistics:
        return statistics_of(self._canvases)

    def batches(self, seed: int, first_epoch: int) -> tf.data.Dataset:
        """Batches from `first_epoch` to the recipe's last: (uint8 [batch, side, side, channels], int32 [batch]).

        Each epoch has its own order and its own crops, both drawn from (seed, epoch) alone: a stream
        that starts at a later epoch is the tail of the stream that started at the first.
        """
        recipe = self._recipe
        laid_out, class_ids = tf.constant(self._canvases), tf.constant(self._class_ids)
        colours = principal_colours(self._canvases[:COLOURED]) if recipe.colour and laid_out.shape[3] == 3 else None

        def orders(epoch: tf.Tensor) -> tf.data.Dataset:
            epoch_seed = tf.random.fold_in([seed, 0], epoch)
            order = tf.random.experimental.stateless_shuffle(tf.range(len(laid_out)), epoch_seed)
            return tf.data.Dataset.range(self.steps).map(
                lambda step: (
                    order[step * recipe.batch_size : (step + 1) * recipe.batch_size],
                    tf.random.fold_in(epoch_seed, step),
                )
            )

        def rows(indices: tf.Tensor, step_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return augment(tf.gather(laid_out, indices), recipe, colours, step_seed), tf.gather(class_ids, indices)

        epochs = tf.data.Dataset.range(first_epoch, recipe.epochs)
        return epochs.flat_map(orders).map(rows, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def augment(laid_out: tf.Tensor, recipe: Recipe, colours: Colours | None, seed: tf.Tensor) -> tf.Tensor:
    """What the network sees of each canvas this time: uint8 [N, height, width, channels] -> uint8 [N, side, side,
    channels]. Without `colours`, they stay as they are.
    """
    where, shade = seeds.split(seed, 2)
    if recipe.warps:
        ranges = Ranges(recipe.rotate, recipe.translate, recipe.zoom, recipe.mirror, recipe.shear, recipe.stretch)
        rows = warp(laid_out, recipe.input_side, ranges, where)
    else:
        rows = random_crops(laid_out, recipe.input_side, recipe.translate, recipe.mirror, where)
    return rows if colours is None else pca_colour(rows, colours, recipe.colour, shade)


def steps_per_epoch(pictures: int, recipe: Recipe) -> int:
    """The recipe's steps, or as many as `pictures` fill. Raises BadRecipe where they do not fill so many."""
    filled = pictures // recipe.batch_size
    if filled < max(1, recipe.steps):
        raise BadRecipe(
            f"An epoch has {recipe.steps or 'at least 1'} batches; {pictures} training pictures fill {filled} of "
            f"{recipe.batch_size}. Lower {'steps or ' if recipe.steps else ''}batch_size."
        )
    return recipe.steps or filled
