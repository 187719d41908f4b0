"""Where a stream takes its pictures from: files, TFRecords or arrays, in an order that a seed sets."""

import os
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import tensorflow as tf

from training.augmentation import seeds
from training.data import Pictures
from training.data.image_folder import Files
from training.data.shards import Records

_SHARDS_AT_ONCE = 16
BUFFER = 2048
"""Records that wait in memory, so that one of them can be drawn next."""


class Feed(ABC):
    """The pictures of one data set. What it gives is put together inside a graph, as by `flat_map`."""

    @abstractmethod
    def elements(self, seed: tf.Tensor) -> tf.data.Dataset:
        """Something for each picture, once, in the order of `seed`, int64 [2]."""

    @abstractmethod
    def fetch(self, element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Of one element the picture, a file's bytes or uint8 [height, width, channels], and its class, int32.
        It fails where the picture cannot be read.
        """

    @abstractmethod
    def indices(self, seed: tf.Tensor) -> tf.data.Dataset:
        """The index of each of `elements`, in the same order, int64; without any reading."""


def feed_of(pictures: Pictures) -> Feed:
    """What fits `pictures`."""
    if isinstance(pictures.images, Records):
        return _Shards(pictures.images)
    if isinstance(pictures.images, Files):
        return _Files(pictures)
    return _Arrays(pictures)


class _Indexed(Feed):
    """Pictures that are shuffled by their indices, all of them."""

    def __init__(self, pictures: Pictures) -> None:
        self._class_ids = tf.constant(pictures.class_ids, tf.int32)

    def elements(self, seed: tf.Tensor) -> tf.data.Dataset:
        pictures = tf.size(self._class_ids, tf.int64)
        order = tf.random.experimental.stateless_shuffle(tf.range(pictures), seed)
        return tf.data.Dataset.range(pictures).map(lambda place: order[place])

    def indices(self, seed: tf.Tensor) -> tf.data.Dataset:
        return self.elements(seed)


class _Files(_Indexed):
    def __init__(self, pictures: Pictures) -> None:
        super().__init__(pictures)
        self._paths = tf.constant([os.fsencode(path) for path in pictures.images.paths])

    def fetch(self, element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.io.read_file(self._paths[element]), self._class_ids[element]


class _Arrays(_Indexed):
    def __init__(self, pictures: Pictures) -> None:
        super().__init__(pictures)
        self._images = tf.constant(np.asarray(pictures.images))

    def fetch(self, element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self._images[element], self._class_ids[element]


class _Shards(Feed):
    """Records that are shuffled twice: the files among themselves, then within a buffer what several of them give."""

    def __init__(self, records: Records) -> None:
        self._layout = records.layout
        paths, starts, stops = zip(*records.spans, strict=True)
        lengths = np.subtract(stops, starts)
        self._paths = tf.constant([os.fsencode(path) for path in paths])
        self._starts, self._lengths = tf.constant(starts, tf.int64), tf.constant(lengths, tf.int64)
        self._before = tf.constant(np.cumsum(lengths) - lengths, tf.int64)

    def elements(self, seed: tf.Tensor) -> tf.data.Dataset:
        def records(span: tf.Tensor) -> tf.data.Dataset:
            read = tf.data.TFRecordDataset(self._paths[span]).skip(self._starts[span]).ignore_errors()
            # Where a file breaks off, what is lost is made up for by nothing, which cannot be decoded.
            lost = tf.data.Dataset.from_tensors("").repeat()
            return read.concatenate(lost).take(self._lengths[span])

        return self._shuffled(records, seed)

    def indices(self, seed: tf.Tensor) -> tf.data.Dataset:
        def numbers(span: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.range(self._before[span], self._before[span] + self._lengths[span])

        return self._shuffled(numbers, seed)

    def fetch(self, element: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        layout = self._layout
        keys = {
            layout.image: tf.io.FixedLenFeature((), tf.string),
            layout.label: tf.io.FixedLenFeature((), tf.int64),
        }
        record = tf.io.parse_single_example(element, keys)
        class_id = record[layout.label] - layout.first_label
        in_range = tf.debugging.Assert((class_id >= 0) & (class_id < layout.classes), [class_id])
        with tf.control_dependencies([in_range]):
            return record[layout.image], tf.cast(class_id, tf.int32)

    def _shuffled(self, content: Any, seed: tf.Tensor) -> tf.data.Dataset:
        files_seed, buffer_seed = seeds.split(seed, 2)
        spans = tf.random.experimental.stateless_shuffle(tf.range(tf.size(self._lengths)), files_seed)
        together = tf.data.Dataset.from_tensor_slices(spans).interleave(
            content,
            cycle_length=_SHARDS_AT_ONCE,
            block_length=1,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        # Of the graph that is traced. Else the process' global seed would have a part in the order.
        tf.compat.v1.set_random_seed(1)
        return together.shuffle(BUFFER, buffer_seed[0], reshuffle_each_iteration=False)
