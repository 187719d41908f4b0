"""Writes a data set of pictures in files as TFRecords in the ImageNet convention; see records.py."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from serving.pipeline.picture import Limits, open_header
from training.data.broken import Broken
from training.data.data_set import DataSet, Pictures
from training.data.encoded import Encoded
from training.data.records import FIRST_LABEL, LABELS, MANIFEST, Manifest
from training.data.shard_names import PARTS, shard_name
from training.durable import alone_in, fsync, fsync_tree
from training.errors import DataUnusable, RunTaken

PICTURES_A_SHARD = 1000


class _Shard(NamedTuple):
    name: str
    pictures: Pictures
    broken: Broken


def write(data: DataSet, out: Path, shards: int | None, advance: Callable[[], None]) -> Manifest:
    """The pictures of `data`, byte for byte, in a new directory `out`: all of it or nothing, after a kill or a
    power cut too. Broken pictures are named and left out.

    shards: of the training pictures, in their order; left out, one a thousand. Those to measure on get as
    many in proportion. `advance` is called once a picture, from several threads.

    Raises DataUnusable where `out` is there, or more than the tolerated share of a part is broken;
    RunTaken where another process writes there.
    """
    staging = out.with_name(f".{out.name}.partial")
    if out.exists():
        raise DataUnusable(f"TFRecords are written to a new directory; {out} is there. Remove it, or name another.")
    with alone_in(staging, wait=False) as alone:
        if not alone:
            raise RunTaken(f"One process writes {out}; another one does. Wait for it, or name another directory.")
        for leftover in staging.iterdir():  # of one that was killed
            leftover.unlink()
        try:
            manifest = _fill(staging, data, shards, advance)
            fsync_tree(staging)
            os.rename(staging, out)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    fsync(out.parent)
    return manifest


def _fill(directory: Path, data: DataSet, shards: int | None, advance: Callable[[], None]) -> Manifest:
    shards = shards or -(-len(data.train) // PICTURES_A_SHARD)
    measured = max(1, round(shards * len(data.test) / len(data.train)))
    work = [
        shard
        for part, pictures, parts in zip(PARTS, (data.train, data.test), (shards, measured), strict=True)
        for shard in _shards(part, pictures, parts, data)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        written = {threads.submit(_write, directory, shard, data.labels, advance): shard.name for shard in work}
        try:
            records = {written[each]: each.result() for each in as_completed(written)}
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    for broken in {id(shard.broken): shard.broken for shard in work}.values():
        broken.say_count()
    manifest = Manifest(dict(sorted(records.items())), data.channels)
    (directory / LABELS).write_text("".join(f"{label}\n" for label in data.labels))
    (directory / MANIFEST).write_bytes(manifest.encode())
    return manifest


def _shards(part: str, pictures: Pictures, shards: int, data: DataSet) -> Iterator[_Shard]:
    if shards > len(pictures):
        raise DataUnusable(
            f"Each file holds a picture at least; {len(pictures)} pictures of {part} were to go into {shards}. "
            "Ask for fewer."
        )
    broken = Broken(f"{len(pictures)} pictures of {part}", len(pictures), data.tolerated)
    borders = np.linspace(0, len(pictures), shards + 1).astype(int).tolist()
    for number, (start, stop) in enumerate(pairwise(borders)):
        yield _Shard(shard_name(part, number, shards), pictures.part(start, stop), broken)


def _write(directory: Path, shard: _Shard, labels: tuple[str, ...], advance: Callable[[], None]) -> int:
    """Returns how many records were written."""
    images, written = shard.pictures.images, 0
    with tf.io.TFRecordWriter(str(directory / shard.name)) as writer:
        for index, class_id in enumerate(shard.pictures.class_ids):
            fault = images.fault(index)
            if fault is None:
                writer.write(_example(images, index, int(class_id), labels).SerializeToString())
                written += 1
            else:
                shard.broken.add(images.name(index), fault)
            advance()
    return written


def _example(images: Encoded, index: int, class_id: int, labels: tuple[str, ...]) -> tf.train.Example:
    contents = images.contents(index)
    header = open_header(contents, Limits())
    width, height = header.size
    features = {
        "image/encoded": contents,
        "image/format": header.format,
        "image/filename": os.path.basename(images.name(index)),
        "image/height": height,
        "image/width": width,
        "image/channels": len(header.getbands()),
        "image/colorspace": "Gray" if len(header.getbands()) == 1 else header.mode,
        "image/class/label": FIRST_LABEL + class_id,
        "image/class/text": labels[class_id],
    }
    encoded = {key: _feature(value) for key, value in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=encoded))


def _feature(value: bytes | str | int) -> tf.train.Feature:
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[os.fsencode(value)]))
