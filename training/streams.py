"""Training pictures that are read as they are needed: memory does not grow with the data set.

Each picture is read, and of a JPEG only the window decoded that training sees this time. What cannot be
read is skipped, counted and named; the place of each picture in its epoch tells which are missing.
"""

import atexit
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training import canvases
from training.augmentation.colour import principal_colours
from training.augmentation.seeds import Seed
from training.batches import Statistics, augment, statistics_of, steps_per_epoch
from training.cuts import cutter, gives_canvases
from training.data import DataSet
from training.data.encoded import Encoded
from training.errors import DataUnusable
from training.feeds import feed_of
from training.recipes.recipe import Recipe
from training.skipping import Skipping

SAMPLE = 256
"""Pictures whose mean, deviation and colours stand for all."""


@atexit.register
def end_iterators() -> None:
    """Takes from every iterator over a stream what it holds. One that goes while Python ends would wait for ever for
    a thread of its own, which waits for Python; and whatever a failure left may hold one.
    """
    gc.collect()
    objects = gc.get_objects()
    iterators = {kind for kind in set(map(type, objects)) if issubclass(kind, tf.data.Iterator)}
    for each in objects:
        if type(each) in iterators:
            vars(each).clear()


# A second time round fills the places of those that were skipped in the first.
_ROUNDS = 2
# Seeds of batches lie beyond those of pictures.
_BATCHES = 2**40


class Streamed:
    """Training pictures that stay where they are until their turn comes."""

    def __init__(self, data: DataSet, recipe: Recipe) -> None:
        """Raises BadRecipe where the pictures do not fill the recipe's epochs."""
        self.steps = steps_per_epoch(len(data.train), recipe)
        self._recipe = recipe
        self._data = data
        self._feed = feed_of(data.train)
        self._skipping: Skipping | None = None

    def statistics(self) -> Statistics:
        """Of a sample. Raises DataUnusable where none of it can be read."""
        return statistics_of(self._sample())

    def batches(self, seed: int, first_epoch: int) -> tf.data.Dataset:
        """Batches from `first_epoch` to the recipe's last: (uint8 [batch, side, side, channels], int32 [batch]).

        Each epoch has its own order and its own crops, both drawn from (seed, epoch) alone: a stream
        that starts at a later epoch is the tail of the stream that started at the first.

        Where more than the tolerated share of an epoch's pictures is broken, iterating fails; inside
        `stops_clearly`, with DataUnusable.
        """
        recipe = self._recipe
        colours = principal_colours(self._sample()) if recipe.colour and self._data.channels == 3 else None

        def epoch_seed(epoch: tf.Tensor | int) -> tf.Tensor:
            return tf.random.fold_in([seed, 0], tf.cast(epoch, tf.int64))

        def order(epoch: int) -> Iterator[int]:
            epochs = tf.data.Dataset.from_tensors(epoch)
            return epochs.flat_map(lambda epoch: self._feed.indices(epoch_seed(epoch))).as_numpy_iterator()

        self._skipping = Skipping(
            self._data.train.images,
            f"{len(self._data.train)} pictures an epoch ({self._data.name})",
            self._data.tolerated,
            order,
        )

        @tf.autograph.experimental.do_not_convert
        def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
            cut = cutter(recipe, self._data.channels, colours)
            batches = self._skipping.follow(self._cuts(cut, epoch_seed(epoch)), epoch, self.steps)
            return batches.enumerate().map(
                lambda step, batch: (*batch, tf.random.fold_in(epoch_seed(epoch), _BATCHES + step))
            )

        def rows(squares: tf.Tensor, class_ids: tf.Tensor, step_seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = augment(squares, recipe, colours, step_seed) if gives_canvases(recipe) else squares
            return rows, class_ids

        epochs = tf.data.Dataset.range(first_epoch, recipe.epochs)
        return epochs.flat_map(epoch_batches).map(rows, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    @contextmanager
    def stops_clearly(self) -> Iterator[None]:
        """Raises DataUnusable where the stream broke off inside the block because of too many broken pictures."""
        try:
            yield
        except tf.errors.OpError:
            if self._skipping and self._skipping.stop:
                raise self._skipping.stop from None
            raise

    def _cuts(self, cut: Callable[[tf.Tensor, Seed], tf.Tensor], seed: tf.Tensor) -> tf.data.Dataset:
        """What `cut` makes of an epoch's pictures, in batches with their places in it, up to twice: (int64 [batch],
        uint8 [batch, side, side, channels], int32 [batch]). Broken ones are left out; at the end comes a batch of none.
        """
        batch_size, pictures = self._recipe.batch_size, len(self._data.train)

        def one(place: tf.Tensor, element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            picture, class_id = self._feed.fetch(element)
            return place, cut(picture, tf.random.fold_in(seed, place)), class_id

        cuts = self._feed.elements(seed).repeat(_ROUNDS).enumerate().map(one, tf.data.AUTOTUNE, deterministic=True)
        batches = cuts.ignore_errors().batch(batch_size, drop_remainder=True)
        _, squares, class_ids = batches.element_spec
        end = tf.fill((batch_size,), tf.constant(_ROUNDS * pictures, tf.int64))
        nothing = (end, tf.zeros(squares.shape, tf.uint8), tf.zeros(class_ids.shape, tf.int32))
        return batches.concatenate(tf.data.Dataset.from_tensors(nothing))

    def _sample(self) -> Iterator[NDArray[np.uint8]]:
        """The canvases of some pictures, always the same ones."""
        images = self._data.train.images
        size = min(SAMPLE, len(images))
        # Those in files come in no order that means anything; arrays may.
        chosen = range(size) if isinstance(images, Encoded) else np.linspace(0, len(images) - 1, size).astype(int)
        readable = 0
        for index in chosen:
            try:
                image = images[index]
            except (DataUnusable, OSError):
                continue  # it is named when its turn comes
            readable += 1
            yield canvases.lay_out([image], self._recipe, self._data.channels)[0]
        if not readable:
            raise DataUnusable(
                f"Pictures are scaled by the mean of a sample of them; none of the {size} of {self._data.name} can be "
                f"read. The first says: {images.fault(0)}"
            )
