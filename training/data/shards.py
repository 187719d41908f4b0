"""Pictures in TFRecord files: sharded, each record a tf.train.Example.

A TFRecord file is, record after record, the length as 8 little-endian bytes, 4 bytes of checksum, the
content, 4 bytes of checksum (TensorFlow, core/lib/io/record_writer.h).
"""

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from training.data.encoded import Encoded
from training.errors import DataUnusable

_LENGTH, _CHECKSUM = 8, 4


class Span(NamedTuple):
    """Records `start` to before `stop` of a file."""

    path: str
    start: int
    stop: int


@dataclass(frozen=True)
class Layout:
    """Where a record keeps what, and how many classes there are."""

    image: str
    label: str
    first_label: int
    """The label of the first class."""
    classes: int


@dataclass(frozen=True)
class Records(Encoded):
    """Each picture a record. Of the records themselves nothing is kept."""

    spans: tuple[Span, ...]
    layout: Layout
    channels: int

    unseen_fault = "TensorFlow cannot decode it, or a checksum before it in the file does not fit: write the file anew."

    def __len__(self) -> int:
        return sum(span.stop - span.start for span in self.spans)

    def contents(self, index: int) -> bytes:
        return self._read(index)[0]

    def class_id(self, index: int) -> int:
        """Raises DataUnusable and OSError."""
        return self._read(index)[1]

    def name(self, index: int) -> str:
        path, record = self._place(index)
        return f"{path}, record {record}"

    def chosen(self, indices: Sequence[int]) -> "Records":
        return Records(tuple(_joined(self._place(index) for index in indices)), self.layout, self.channels)

    def part(self, start: int, stop: int) -> "Records":
        """Those from `start` to before `stop`."""
        spans, before = [], 0
        for path, first, last in self.spans:
            low, high = max(first, first + start - before), min(last, first + stop - before)
            if low < high:
                spans.append(Span(path, low, high))
            before += last - first
        return Records(tuple(spans), self.layout, self.channels)

    def _place(self, index: int) -> tuple[str, int]:
        for path, start, stop in self.spans:
            if index < stop - start:
                return path, start + index
            index -= stop - start
        raise IndexError(index)

    def _read(self, index: int) -> tuple[bytes, int]:
        """The picture's bytes and its class, from 0."""
        path, record = self._place(index)
        starts, _ = _frames(path)
        if record >= len(starts):
            raise DataUnusable(f"The file breaks off after {len(starts)} records.")
        with open(path, "rb") as file:
            file.seek(starts[record])
            (length,) = struct.unpack("<Q", file.read(_LENGTH))
            file.seek(_CHECKSUM, os.SEEK_CUR)
            content = file.read(length)
        try:
            features = tf.train.Example.FromString(content).features.feature
            image = features[self.layout.image].bytes_list.value[0]
            label = features[self.layout.label].int64_list.value[0]
        except (DecodeError, IndexError) as error:
            raise DataUnusable(
                f"A record is an Example with {self.layout.image} and {self.layout.label}; this one is not. "
                "Write it anew."
            ) from error
        class_id = label - self.layout.first_label
        if not 0 <= class_id < self.layout.classes:
            least = self.layout.first_label
            raise DataUnusable(
                f"Labels go from {least} to {least + self.layout.classes - 1}; this record's is {label}. "
                "Look whether labels.txt belongs to it."
            )
        return image, class_id


@dataclass(frozen=True)
class Classes(Sequence):
    """The classes of records, each read when it is asked for."""

    records: Records

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index):
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return Classes(self.records.part(start, stop))
        return self.records.class_id(index)


def count(path: str) -> tuple[int, bool]:
    """The whole records in a file, and whether it ends with the last of them."""
    starts, end = _frames(path)
    return len(starts), end == os.path.getsize(path)


def _frames(path: str) -> tuple[NDArray[np.int64], int]:
    """Where each whole record of a file begins, and where the last one ends."""
    status = os.stat(path)
    return _look_through(path, status.st_size, status.st_mtime_ns)


# By custom a file has about a thousand records, so that little is kept.
@lru_cache(maxsize=128)
def _look_through(path: str, size: int, modified: int) -> tuple[NDArray[np.int64], int]:
    """`_frames`; contents are jumped over."""
    starts, place = [], 0
    with open(path, "rb") as file:
        while place + _LENGTH + _CHECKSUM <= size:
            file.seek(place)
            (length,) = struct.unpack("<Q", file.read(_LENGTH))
            after = place + _LENGTH + 2 * _CHECKSUM + length
            if after > size:
                break
            starts.append(place)
            place = after
    return np.array(starts, np.int64), place


def _joined(places: Iterator[tuple[str, int]]) -> Iterator[Span]:
    """Records one after another of one file become one span."""
    span = None
    for path, record in places:
        if span and (path, record) == (span.path, span.stop):
            span = span._replace(stop=record + 1)
            continue
        if span:
            yield span
        span = Span(path, record, record + 1)
    if span:
        yield span
