"""Measures what training costs beyond Keras, and grouped convolutions, and prints a table.

    python -m tests.benchmarks.fit

Fit: our fit, with its order and crops drawn for every batch, checkpoints, logs and watching, against Keras'
fit of the same compiled model that is given one and the same batch from memory over and over. Both run in one
process, an epoch of ours and an epoch of Keras' in turn, so that whatever else the machine does meets both.
Ours is one fit over many epochs; what each fit of Keras' does before its first epoch and in it is left out, too.

Groups: a training step of AlexNet with its kernels split inside, against Keras' grouped convolution.

Figures are medians; ratios are taken inside a round.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training import architectures
from training.architectures.layers import GroupedConv2D
from training.batches import Canvases
from training.data import DataSet, Pictures
from training.descent import compile_for_training
from training.fit import fit, make_models
from training.recipes import find
from training.recipes.recipe import Recipe

ROUNDS = 7
FIT_TARGET = 0.95
CLASSES = 10

# As many steps an epoch as take some seconds on two cores.
LENET5 = (replace(find("lenet5", "fashion-mnist"), batch_size=128), 400)
RESNET20 = (replace(find("resnet20", "cifar10"), batch_size=128), 15)
ALEXNET_BATCH = 8


class Row(NamedTuple):
    """One figure of both, and how many times the second the first is."""

    what: str
    ours: float
    keras: float
    ratio: float
    wanted: str


def measure() -> list[Row]:
    """Fit of two networks, then groups."""
    return [fit_rates("LeNet-5", 28, 1, *LENET5), fit_rates("ResNet-20", 32, 3, *RESNET20), group_rates()]


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| pictures/s | ours | Keras' | ratio | wanted |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {what} | {ours:,.4g} | {other:,.4g} | {by:.2f} | {wanted} |" for what, ours, other, by, wanted in rows
    ]
    return "\n".join(lines)


def fit_rates(what: str, side: int, channels: int, recipe: Recipe, steps: int) -> Row:
    """Of `steps` steps an epoch, on pictures of side x side x channels."""
    recipe = replace(recipe, epochs=ROUNDS + 1, schedule="constant", milestones=(), warmup=0)
    pictures = steps * recipe.batch_size
    data = _noise(pictures, side, channels)
    turns = InTurn(_bare_epoch(recipe, data, steps))
    with tempfile.TemporaryDirectory() as directory:
        fit(recipe, data, 0, Path(directory), [turns])
    return _row(f"fit, {what}", pictures, turns.seconds[1:], f"at least {FIT_TARGET}")


class InTurn(keras.callbacks.Callback):
    """Runs `other`, which says its seconds, between epochs: (epoch, other) of each round. An epoch lasts from
    its beginning to that of the next, so that everything that is done at its end counts.
    """

    def __init__(self, other: Callable[[], float]) -> None:
        super().__init__()
        self._other = other
        self._began: float | None = None
        self.seconds: list[tuple[float, float]] = []

    def on_epoch_begin(self, epoch, logs=None):
        if self._began is not None:
            self._end_round()
        self._began = time.perf_counter()

    def on_train_end(self, logs=None):
        self._end_round()

    def _end_round(self) -> None:
        self.seconds.append((time.perf_counter() - self._began, self._other()))


class SecondEpoch(keras.callbacks.Callback):
    """Times the second epoch of a fit."""

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.perf_counter()

    def on_train_end(self, logs=None):
        self.seconds = time.perf_counter() - self._began


def _bare_epoch(recipe: Recipe, data: DataSet, steps: int) -> Callable[[], float]:
    """An epoch of Keras' fit, without anything of ours but the model and its loss, in seconds."""
    _, model = make_models(recipe, CLASSES, data.channels, Canvases(data, recipe).statistics())
    compile_for_training(model, recipe, steps)
    side = recipe.input_side
    rows = np.random.default_rng(0).integers(0, 256, (recipe.batch_size, side, side, data.channels), np.uint8)
    class_ids = np.arange(recipe.batch_size, dtype=np.int32) % CLASSES
    batches = tf.data.Dataset.from_tensors((rows, class_ids)).repeat()

    def epoch() -> float:
        watch = SecondEpoch()
        model.fit(batches, epochs=2, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[watch])
        return watch.seconds

    return epoch


def _noise(count: int, side: int, channels: int) -> DataSet:
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, channels), np.uint8)
    pictures = Pictures(images, np.arange(count, dtype=np.int32) % CLASSES)
    return DataSet("noise", tuple(map(str, range(CLASSES))), pictures, pictures.part(0, 1))


def group_rates() -> Row:
    """AlexNet at its paper's size."""
    split = architectures.build("alexnet")
    grouped = keras.models.clone_model(split, clone_function=_in_one_operation)
    steps = [_step(network) for network in (split, grouped)]
    seconds = []
    for _ in range(ROUNDS + 1):
        moments = [time.perf_counter()]
        for step in steps:
            step()
            moments.append(time.perf_counter())
        seconds.append(tuple(np.diff(moments)))
    return _row("a step of AlexNet, two groups", ALEXNET_BATCH, seconds[1:], "more than 1")


def _in_one_operation(layer: keras.layers.Layer) -> keras.layers.Layer:
    kind = keras.layers.Conv2D if isinstance(layer, GroupedConv2D) else type(layer)
    return kind.from_config(layer.get_config())


def _step(network: keras.Model) -> Callable[[], object]:
    compile_for_training(network, find("alexnet", "directory"), steps=1)
    rows = np.random.default_rng(0).normal(size=(ALEXNET_BATCH, *network.input_shape[1:])).astype(np.float32)
    class_ids = np.arange(ALEXNET_BATCH, dtype=np.int32)
    return lambda: network.train_on_batch(rows, class_ids)


def _row(what: str, pictures: int, seconds: list[tuple[float, float]], wanted: str) -> Row:
    ours, theirs = (median(pictures / each for each in column) for column in zip(*seconds, strict=True))
    return Row(what, ours, theirs, median(other / mine for mine, other in seconds), wanted)


if __name__ == "__main__":
    print(table(measure()))
