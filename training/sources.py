"""Whether pictures are kept in memory or streamed: those to train on, and those that are measured after each epoch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training import canvases
from training.batches import Canvases
from training.data import DataSet
from training.data.encoded import checked
from training.recipes.recipe import Recipe
from training.streams import Streamed

KEPT = 2**30
"""Bytes of canvases that are kept in memory."""


def source_of(data: DataSet, recipe: Recipe) -> Canvases | Streamed:
    """The training pictures as canvases where crops are shifted and all of them fit; streamed otherwise.

    What is laid out is looked through first, and broken pictures left out.

    Raises BadRecipe where the pictures do not fill the recipe's epochs, DataUnusable where more than a
    tolerated share is broken.
    """
    if recipe.crop != "shift" or not _fit(len(data.train), data, recipe):
        return Streamed(data, recipe)
    return Canvases(replace(data, train=checked(data.train, f"{data.name} train", data.tolerated)), recipe)


@contextmanager
def clear_stops(source: Canvases | Streamed) -> Iterator[None]:
    """Raises DataUnusable where `source` breaks off inside the block because too many pictures are broken."""
    if isinstance(source, Streamed):
        with source.stops_clearly():
            yield
    else:
        yield


def validation_of(data: DataSet, recipe: Recipe, pictures: int) -> tf.data.Dataset:
    """The centre views of the first `pictures` to measure on and their classes: uint8 [N, side, side, channels] and
    int32 [N], N the recipe's batch size, in the end less. Made once where they fit into memory, else each time.
    """
    images, class_ids = data.test.images, data.test.class_ids
    edge = (recipe.canvas_side - recipe.input_side) // 2
    inside = slice(edge, edge + recipe.input_side)
    if _fit(pictures, data, recipe):
        laid_out = canvases.lay_out(images[:pictures], recipe, data.channels)
        views = tf.data.Dataset.from_tensor_slices((laid_out[:, inside, inside], class_ids[:pictures]))
        return views.batch(recipe.batch_size)

    def view(index: int) -> NDArray[np.uint8]:
        return canvases.lay_out([images[int(index)]], recipe, data.channels)[0, inside, inside]

    def row(index: tf.Tensor, class_id: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        shape = (recipe.input_side, recipe.input_side, data.channels)
        return tf.ensure_shape(tf.numpy_function(view, [index], tf.uint8, stateful=False), shape), class_id

    rows = tf.data.Dataset.from_tensor_slices((tf.range(pictures), class_ids[:pictures]))
    return rows.map(row, tf.data.AUTOTUNE).batch(recipe.batch_size).prefetch(tf.data.AUTOTUNE)


def _fit(pictures: int, data: DataSet, recipe: Recipe) -> bool:
    return pictures * recipe.canvas_side**2 * data.channels <= KEPT
