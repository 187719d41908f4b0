"""Runs that were stopped within an epoch."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from training import keeper
from training.errors import Diverged
from training.fit import fit


class Stop(keras.callbacks.Callback):
    """Interrupts the run after a step, both counted from 0."""

    def __init__(self, epoch, batch):
        super().__init__()
        self._at = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch) == self._at:
            raise KeyboardInterrupt


class CountSteps(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1


@pytest.fixture
def keep_each_step(monkeypatch):
    monkeypatch.setattr(keeper, "PAUSE", 0.0)
    monkeypatch.setattr(keeper, "_PAUSES", 0)


def stopped(recipe, data, directory, *at):
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, data, 7, directory, [Stop(*at)])


# Each makes something more that has to be kept: averages, a loss scale, states of dropout, validation errors.
KINDS = {
    "plain": {},
    "averaged": {"averaging": 0.9},
    "float16": {"mixed_precision": "float16", "averaging": 0.9},
    "dropout": {
        "architecture": "alexnet",
        "options": {"stem": "small", "width": 0.1, "fc_width": 8, "lrn": "off"},
        "learning_rate": 1e-3,
    },
    "plateau": {"schedule": "plateau", "validation": 0.2, "patience": 1},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_was_stopped_within_an_epoch_ends_as_if_it_had_not_been(
    kind, tiny_recipe, tiny_data, tmp_path, keep_each_step
):
    recipe = replace(tiny_recipe, epochs=3, **KINDS[kind])
    if kind == "dropout":
        recipe = replace(recipe, input_side=32, shorter_side=32)
    steps, rest = (4 if kind == "plateau" else 5), CountSteps()
    stopped(recipe, tiny_data, tmp_path / "stopped", 1, 2)
    resumed = fit(recipe, tiny_data, 7, tmp_path / "stopped", [rest])
    whole = fit(recipe, tiny_data, 7, tmp_path / "whole")
    assert rest.steps == 3 * steps - steps - 3
    for one, other in zip(resumed.model.variables, whole.model.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(resumed.history, whole.history, strict=True):
        same = [name for name in one if "seconds" not in name]
        np.testing.assert_allclose([one[name] for name in same], [other[name] for name in same], rtol=1e-5)


def test_a_run_may_be_stopped_twice_within_an_epoch(tiny_recipe, tiny_data, tmp_path, keep_each_step):
    stopped(tiny_recipe, tiny_data, tmp_path / "stopped", 0, 0)
    stopped(tiny_recipe, tiny_data, tmp_path / "stopped", 0, 1)
    rest = CountSteps()
    resumed = fit(tiny_recipe, tiny_data, 7, tmp_path / "stopped", [rest])
    whole = fit(tiny_recipe, tiny_data, 7, tmp_path / "whole")
    assert rest.steps == 7
    np.testing.assert_allclose(resumed.history[0]["loss"], whole.history[0]["loss"], rtol=1e-5)


def test_short_epochs_are_kept_at_their_ends_alone(tiny_recipe, tiny_data, tmp_path):
    stopped(tiny_recipe, tiny_data, tmp_path, 1, 2)
    rest = CountSteps()
    fit(tiny_recipe, tiny_data, 7, tmp_path, [rest])
    assert rest.steps == 5


def test_a_pause_is_long_where_a_checkpoint_takes_long(tmp_path, monkeypatch):
    clock = iter([100.0, 103.0])
    monkeypatch.setattr(keeper.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(keeper.checkpoint, "save", lambda *arguments: None)
    watched = keeper.Keeper(tmp_path / "checkpoint.npz", {})
    watched.set_model(keras.Model())
    watched._keep(keeper.Reached())
    assert watched._next == 103.0 + 100 * 3.0


class Break(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            for variable in self.model.trainable_variables:
                variable.assign(np.full(variable.shape, np.nan))


def test_a_loss_that_is_no_number_within_an_epoch_names_the_step_and_the_last_good_one(
    tiny_recipe, tiny_data, tmp_path, keep_each_step
):
    with pytest.raises(Diverged, match=r"in step 4 of epoch 1 it became nan.* which is of step 3 of epoch 1,"):
        fit(tiny_recipe, tiny_data, 7, tmp_path, [Break()])
