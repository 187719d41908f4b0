"""Which pictures of a stream were skipped, and when it stops."""

from collections.abc import Callable, Iterator

import tensorflow as tf

from training.data.broken import Broken
from training.data.encoded import Encoded
from training.errors import DataUnusable

Order = Callable[[int], Iterator[int]]
"""An epoch's number -> the indices of its pictures, in its order."""


class Skipping:
    """Follows the batches of a stream, and sees by the places that are missing what was skipped.

    Each picture is named once, and counted in each epoch.
    """

    def __init__(self, images: Encoded, whole: str, tolerated: float, order: Order) -> None:
        self.stop: DataUnusable | None = None
        """Why the stream broke off."""
        self._images, self._whole, self._tolerated, self._order = images, whole, tolerated, order
        self._epoch: int | None = None
        self._broken = Broken(whole, len(images), tolerated)
        self._named: set[str] = set()

    def follow(self, batches: tf.data.Dataset, epoch: tf.Tensor, steps: int) -> tf.data.Dataset:
        """`steps` of `batches` without the places, which come first in each: int64 [batch], rising.

        Iterating fails where too many are missing.
        """

        def account(state: tuple, batch: tuple) -> tuple:
            expected, step, skipped = state
            places, *others = batch
            following = places[-1] + 1
            missing = following - expected - tf.size(places, tf.int64)
            # Python is asked where something is missing, and at the end of an epoch in which something was.
            more = tf.cond(
                (missing > 0) | ((step + 1 == steps) & (skipped > 0)),
                lambda: tf.py_function(self._skipped, [epoch, expected, places, step + 1 == steps], tf.int64),
                lambda: tf.constant(0, tf.int64),
            )
            # An exception in Python would be printed by TensorFlow, with its whole stack.
            with tf.control_dependencies([tf.debugging.Assert(more >= 0, ["Too many pictures are broken."])]):
                return (following, step + 1, skipped + more), tuple(tf.identity(other) for other in others)

        beginning = tuple(tf.constant(0, tf.int64) for _ in range(3))
        return batches.take(steps).scan(beginning, account)

    def _skipped(self, epoch: tf.Tensor, expected: tf.Tensor, places: tf.Tensor, last: tf.Tensor) -> int:
        """Names what is missing, and returns how many; -1 where the stream is to stop."""
        if epoch != self._epoch:
            self._epoch = int(epoch)
            self._broken = Broken(self._whole, len(self._images), self._tolerated)
            self._places = enumerate(self._order(self._epoch))
        there = set(places.numpy().tolist())
        missing = [place for place in range(int(expected), int(places[-1]) + 1) if place not in there]
        try:
            self._add(missing)
            if len(there) < len(places):
                raise self._broken.too_few()
            if last:
                self._broken.say_count()
        except DataUnusable as error:
            self.stop = error
            return -1
        return len(missing)

    def _add(self, missing: list[int]) -> None:
        for place in missing:
            # Those missing in a second round were missing, and counted, in the first.
            index = next((index for reached, index in self._places if reached == place), None)
            if index is None:
                continue
            name = self._images.name(index)
            fault = self._images.fault(index) or self._images.unseen_fault
            self._broken.add(name, fault, quietly=name in self._named)
            self._named.add(name)
