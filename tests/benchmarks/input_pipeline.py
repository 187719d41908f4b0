"""Measures the stream of training pictures against `tf.data` that does nothing but read, decode and resize.

    python -m tests.benchmarks.input_pipeline

All read the same JPEG files, or the same TFRecords, of about ImageNet's size, with as many threads as
there are cores, and give batches of uint8. Without more than that, `tf.data` resizes to 224x224 either as
serving does, averaging where a picture shrinks, or plainly, which is faster and leaves jagged edges. Rounds
alternate between the three, so that whatever else the machine does meets all; figures are medians, and
ratios are taken inside a round.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

from training import data, recipes
from training.data import DataSet, Pictures, writing
from training.data.image_folder import Files
from training.recipes.recipe import Recipe
from training.streams import Streamed

ROUNDS = 7
SECONDS = 3.0
BATCH, SIDE = 64, 224
PICTURES = 512
SIZES = ((500, 375), (375, 500), (500, 333))
TARGET = 0.9
RECIPES = {"crop anywhere": "resnet50", "crop by area": "googlenet", "crop shifted": "alexnet"}


class Row(NamedTuple):
    """Pictures a second of ours, of the same resizing alone and of plain resizing alone; and what ours is of each."""

    what: str
    ours: float
    bare: float
    plain: float
    of_bare: float
    of_plain: float


def measure() -> list[Row]:
    """From files and from records, by each kind of crop."""
    with tempfile.TemporaryDirectory() as directory:
        return [
            _rates(f"{kind}, {crop}", place, recipes.find(name, "directory"))
            for kind, place in make(Path(directory), PICTURES).items()
            for crop, name in RECIPES.items()
        ]


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        f"| pictures/s | ours | resize | plain resize | of resize, wanted {TARGET} | of plain, wanted {TARGET} |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for what, *rates, of_bare, of_plain in rows:
        lines.append(f"| {what} | {' | '.join(f'{rate:,.0f}' for rate in rates)} | {of_bare:.2f} | {of_plain:.2f} |")
    return "\n".join(lines)


def make(directory: Path, pictures: int) -> dict[str, Path]:
    """A folder of `pictures` JPEGs in two classes, and the same as TFRecords, by what they are called."""
    folder, shards = directory / "pictures", directory / "records"
    generator = np.random.default_rng(0)
    for class_id, name in enumerate(("china", "flower")):
        for part in ("train", "val"):
            (folder / part / name).mkdir(parents=True)
        photograph = Image.fromarray(load_sample_image(f"{name}.jpg"))
        for number in range(pictures // 2):
            wide, high = SIZES[number % len(SIZES)]
            scale = max(wide / photograph.width, high / photograph.height) * generator.uniform(1.0, 1.3)
            larger = photograph.resize([round(scale * side) for side in photograph.size])
            left, top = (int(generator.integers(0, room + 1)) for room in (larger.width - wide, larger.height - high))
            crop = larger.crop((left, top, left + wide, top + high))
            crop.save(folder / "train" / name / f"{class_id}-{number:05d}.jpg", quality=92)
        crop.save(folder / "val" / name / "0.jpg")
    writing.write(data.load(str(folder)), shards, max(1, pictures // 128), lambda: None)
    return {"JPEG files": folder, "TFRecords": shards}


def _rates(what: str, place: Path, recipe: Recipe) -> Row:
    # An epoch so long that its end is not measured.
    pictures = repeated(data.load(str(place)), 200)
    changes = {"batch_size": BATCH, "epochs": 1, "schedule": "constant", "milestones": (), "validation": 0}
    contestants = [
        Streamed(pictures, replace(recipe, **changes)).batches(0, 0),
        _bare(pictures, antialias=True),
        _bare(pictures, antialias=False),
    ]
    streams = [iter(with_threads(each)) for each in contestants]
    for stream in streams:
        _rate(stream, 1.0)
    rounds = [[_rate(stream, SECONDS) for stream in streams] for _ in range(ROUNDS)]
    ours, bare, plain = (median(rates) for rates in zip(*rounds, strict=True))
    return Row(what, ours, bare, plain, *(median(mine / each[other] for mine, *each in rounds) for other in (0, 1)))


def repeated(pictures: DataSet, times: int) -> DataSet:
    """Each picture so many times."""
    images = pictures.train.images
    if isinstance(images, Files):
        images = replace(images, paths=images.paths * times)
    else:
        images = replace(images, spans=images.spans * times)
    class_ids = np.tile(np.array(list(pictures.train.class_ids), np.int32), times)
    return replace(pictures, train=Pictures(images, class_ids))


def _bare(pictures: DataSet, antialias: bool) -> tf.data.Dataset:
    def from_file(path: tf.Tensor) -> tf.Tensor:
        return resized(tf.io.read_file(path))

    def from_record(record: tf.Tensor) -> tf.Tensor:
        key = "image/encoded"
        return resized(tf.io.parse_single_example(record, {key: tf.io.FixedLenFeature((), tf.string)})[key])

    def resized(contents: tf.Tensor) -> tf.Tensor:
        picture = tf.image.resize(tf.io.decode_jpeg(contents, channels=3), (SIDE, SIDE), antialias=antialias)
        return tf.cast(picture, tf.uint8)

    images = pictures.train.images
    if isinstance(images, Files):
        stream = tf.data.Dataset.from_tensor_slices(list(images.paths)).map(from_file, tf.data.AUTOTUNE)
    else:
        shards = [span.path for span in images.spans]
        stream = tf.data.TFRecordDataset(shards).map(from_record, tf.data.AUTOTUNE)
    return stream.batch(BATCH).prefetch(tf.data.AUTOTUNE)


def with_threads(stream: tf.data.Dataset) -> tf.data.Dataset:
    """The same in as many threads as there are cores."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = os.cpu_count()
    return stream.with_options(options)


def _rate(stream: Iterator, seconds: float) -> float:
    """Pictures a second."""
    next(stream)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        next(stream)
        count += BATCH
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    print(table(measure()))
