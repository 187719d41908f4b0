"""Measures the lecture's augmentation as one warp against five stacked Keras layers, and prints a table.

    python -m tests.benchmarks.augmentation

Rate: both take the same float32 batches from memory in `tf.data`. Rounds alternate between them, so that
whatever else the machine does meets both; figures are medians, and ratios are taken inside a round.

Quality: the same draws of a photograph, warped once, and once a stage by the operation that Keras' layers
call too. The truth is the photograph's spline of fifth order, taken at the same places; only pixels that lie
on the canvas in every stage are compared.
"""

import math
import os
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.datasets import load_sample_image

from training.augmentation.affine import LECTURE, Ranges, apply, matrices, warp

ROUNDS = 9
SECONDS = 1.5
BATCH = {32: 128, 224: 16}
TARGET = 3.5
VIEWS = 32

Augment = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Row(NamedTuple):
    """One figure of both, and how many times the second the first is."""

    what: str
    one_warp: float
    stacked: float
    ratio: float
    wanted: str


def measure() -> list[Row]:
    """Rates at both sizes, then quality."""
    return [_rates(side) for side in BATCH] + _quality()


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| | one warp | five Keras layers | ratio | wanted |", "|---|--:|--:|--:|--:|"]
    lines += [f"| {what} | {one:,.4g} | {other:,.4g} | {by:.2f} | {wanted} |" for what, one, other, by, wanted in rows]
    return "\n".join(lines)


def stacked(side: int) -> list[keras.layers.Layer]:
    """The lecture's ranges in Keras' layers. Height and width that zoom apart from each other are its stretch;
    Keras draws both uniformly, not log-uniformly, and reduces by no more than 2.
    """
    zoom = LECTURE.zoom * LECTURE.stretch
    factor = (1 / zoom - 1, min(zoom - 1, 1.0))
    options = {"fill_mode": "constant"}
    return [
        keras.layers.RandomTranslation(LECTURE.translate / side, LECTURE.translate / side, **options),
        keras.layers.RandomRotation(LECTURE.rotate / 360, **options),
        keras.layers.RandomShear(x_factor=math.tan(math.radians(LECTURE.shear)), **options),
        keras.layers.RandomZoom(factor, factor, **options),
        keras.layers.RandomFlip("horizontal"),
    ]


def _rates(side: int) -> Row:
    layers = stacked(side)

    def five(step: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
        for layer in layers:
            pictures = layer(pictures, training=True)
        return pictures

    def one(step: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
        return warp(pictures, side, LECTURE, (0, step))

    contestants = [_stream(augment, side) for augment in (one, five)]
    # The first round finds how many batches fill the time.
    steps = [max(4, round(SECONDS * _rate(stream, side, 4) / BATCH[side])) for stream in contestants]
    rounds = [tuple(_rate(*each) for each in zip(contestants, (side, side), steps, strict=True)) for _ in range(ROUNDS)]
    ours, theirs = (median(rates) for rates in zip(*rounds, strict=True))
    ratio = median(mine / other for mine, other in rounds)
    return Row(f"pictures/s, {side}x{side}x3", ours, theirs, ratio, f"at least {TARGET}")


def _stream(augment: Augment, side: int) -> tf.data.Dataset:
    pictures = np.random.default_rng(0).integers(0, 256, (BATCH[side], side, side, 3)).astype(np.float32)
    batches = tf.data.Dataset.from_tensors(pictures).repeat().enumerate()
    return batches.map(augment, num_parallel_calls=os.cpu_count())


def _rate(batches: tf.data.Dataset, side: int, steps: int) -> float:
    """Pictures a second, over so many batches from a standing start."""
    started = time.perf_counter()
    for _ in batches.take(steps):
        pass
    return steps * BATCH[side] / (time.perf_counter() - started)


def _quality() -> list[Row]:
    photograph = load_sample_image("china.jpg")[:, 100:527].astype(np.float32)
    canvas = tf.tile(tf.constant(photograph)[None], (VIEWS, 1, 1, 1))
    size = photograph.shape[:2]
    # The same seed draws the same angle, shift and so on for the ranges together and apart.
    apart = [
        Ranges(translate=LECTURE.translate),
        Ranges(rotate=LECTURE.rotate),
        Ranges(shear=LECTURE.shear),
        Ranges(zoom=LECTURE.zoom, stretch=LECTURE.stretch),
        Ranges(mirror=LECTURE.mirror),
    ]
    transforms = matrices(LECTURE, VIEWS, size, size, (0, 0)).numpy()
    one, one_inside = (apply(transforms, each, size).numpy() for each in (canvas, tf.ones_like(canvas)))
    five, five_inside = canvas, tf.ones_like(canvas)
    for ranges in apart:
        stage = matrices(ranges, VIEWS, size, size, (0, 0))
        five, five_inside = (apply(stage, each, size) for each in (five, five_inside))
    truth, five, five_inside = _splines(photograph, transforms), five.numpy(), five_inside.numpy()
    everywhere = (one_inside > 0.999).all(axis=3) & (five_inside > 0.999).all(axis=3)
    kept = np.stack([ndimage.binary_erosion(inside) for inside in everywhere])
    once_off, five_off = (float(np.sqrt(np.mean((views - truth)[kept] ** 2))) for views in (one, five))
    once_sharp, five_sharp = (100 * _sharpness(views, kept) / _sharpness(truth, kept) for views in (one, five))
    lost = 100 * (1 - (five_inside > 0.5).sum() / (one_inside > 0.5).sum())
    return [
        Row("error, RMS of 255 levels", once_off, five_off, once_off / five_off, "at most 1"),
        Row("sharpness, % of the truth's", once_sharp, five_sharp, once_sharp / five_sharp, "at least 1"),
        Row("pixels lost between stages, %", 0.0, lost, 0.0, "at most 1"),
    ]


def _splines(photograph: NDArray[np.float32], transforms: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.indices(photograph.shape[:2], np.float32)
    channels = [ndimage.spline_filter(channel, 5) for channel in np.moveaxis(photograph, 2, 0)]
    views = []
    for a0, a1, a2, b0, b1, b2, *_ in transforms:
        places = [b0 * x + b1 * y + b2, a0 * x + a1 * y + a2]
        views.append(
            np.stack([ndimage.map_coordinates(each, places, order=5, prefilter=False) for each in channels], axis=2)
        )
    return np.stack(views)


def _sharpness(views: NDArray[np.float32], kept: NDArray[np.bool_]) -> float:
    """How much neighbouring pixels differ."""
    down, across = np.gradient(views, axis=(1, 2))
    return float(np.sqrt(np.mean((down**2 + across**2)[kept])))


if __name__ == "__main__":
    print(table(measure()))
