import os
import signal
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.conftest import make_tiny_data
from tests.training.data.conftest import write_jpegs
from training import data
from training.batches import Statistics
from training.data import Pictures
from training.errors import BadRecipe, DataUnusable, Diverged, RecipeChanged, UnknownName
from training.fit import fit, make_models
from training.keeper import CHECKPOINT

PLAIN = Statistics(np.zeros(1), np.ones(1))


class KillAfterEpoch(keras.callbacks.Callback):
    """Ends the process as a power cut would, in the middle of the epoch after `epoch`."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._begun = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._begun == self._epoch + 1 and batch == 2:
            os.kill(os.getpid(), signal.SIGKILL)


class InterruptAfterEpoch(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self._epoch + 1:
            raise KeyboardInterrupt


class CountEpochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(epoch)


def weights(trained):
    return [np.asarray(variable) for variable in trained.model.variables]


def assert_equal_to_the_bit(some, others):
    assert len(some) == len(others) > 0
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def ended(tiny_recipe, tiny_data, tmp_path_factory):
    """A run with seed 0 that has reached its end, and its directory. Neither is to be changed."""
    directory = tmp_path_factory.mktemp("ended")
    return fit(tiny_recipe, tiny_data, 0, directory), directory


def test_learns(tiny_recipe, tiny_data, run_directory):
    trained = fit(replace(tiny_recipe, epochs=10), tiny_data, 0, run_directory)
    answers = trained.model.predict(tiny_data.test.images, verbose=0).argmax(axis=-1)
    assert (answers == tiny_data.test.class_ids).all()
    assert trained.spent("seconds") > 0


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(tiny_recipe, tmp_path):
    recipe = replace(tiny_recipe, epochs=4)
    code = f"""
from pathlib import Path
from tests.training.conftest import make_tiny_data
from tests.training.data.conftest import write_jpegs
from training import data
from tests.training.test_fit import KillAfterEpoch
from training.fit import fit
from training.recipes.recipe import Recipe
fit(Recipe(**{recipe.as_dict()}), make_tiny_data(), 7, Path({str(tmp_path / "killed")!r}), [KillAfterEpoch(1)])
"""
    killed = subprocess.run([sys.executable, "-c", code], cwd=os.getcwd())
    assert killed.returncode == -signal.SIGKILL
    rest = CountEpochs()
    resumed = fit(recipe, make_tiny_data(), 7, tmp_path / "killed", [rest])
    uninterrupted = fit(recipe, make_tiny_data(), 7, tmp_path / "whole")
    assert rest.epochs == [2, 3]
    assert_equal_to_the_bit(weights(resumed), weights(uninterrupted))


def test_an_interrupted_run_in_float16_ends_with_the_weights_of_an_uninterrupted_one(tiny_recipe, tiny_data, tmp_path):
    recipe = replace(tiny_recipe, epochs=3, mixed_precision="float16")
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, tiny_data, 7, tmp_path / "stopped", [InterruptAfterEpoch(0)])
    resumed = fit(recipe, tiny_data, 7, tmp_path / "stopped")
    assert_equal_to_the_bit(weights(resumed), weights(fit(recipe, tiny_data, 7, tmp_path / "whole")))


def test_a_run_that_had_reached_its_end_is_not_trained_again(tiny_recipe, tiny_data, ended):
    (first, run_directory), epochs = ended, CountEpochs()
    again = fit(tiny_recipe, tiny_data, 0, run_directory, [epochs])
    assert epochs.epochs == []
    assert again.history == first.history
    assert_equal_to_the_bit(weights(again), weights(first))


def test_a_run_that_was_killed_at_its_end_ends_in_step_too(tiny_recipe, tiny_data, run_directory):
    """Of nothing to learn from, several devices would not make a batch to look at."""
    for _ in range(2):
        trained = fit(tiny_recipe, tiny_data, 0, run_directory, strategy=tf.distribute.MirroredStrategy(["CPU:0"]))
    assert [row["epoch"] for row in trained.history] == [1, 2]


def test_another_seed_ends_with_other_weights(tiny_recipe, tiny_data, run_directory, ended):
    one, other = weights(ended[0]), weights(fit(tiny_recipe, tiny_data, 1, run_directory))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))


def test_history_says_at_which_rate_each_epoch_ended(tiny_recipe, tiny_data, run_directory):
    recipe = replace(tiny_recipe, epochs=3, schedule="steps", milestones=(2,), learning_rate=0.5)
    rates = [row["learning_rate"] for row in fit(recipe, tiny_data, 0, run_directory).history]
    assert rates == pytest.approx([0.5, 0.5, 0.05])


def test_a_run_does_not_go_on_with_another_recipe(tiny_recipe, tiny_data, ended):
    with pytest.raises(RecipeChanged, match=r"learning_rate 0\.05 -> 0\.1, seed 0 -> 3"):
        fit(replace(tiny_recipe, learning_rate=0.1), tiny_data, 3, ended[1])


def test_a_run_does_not_go_on_with_other_labels(tiny_recipe, tiny_data, ended):
    with pytest.raises(RecipeChanged, match=r"labels .*'bright'\] -> .*'white'\]"):
        fit(tiny_recipe, replace(tiny_data, labels=("dark", "grey", "white")), 0, ended[1])


def test_a_loss_that_is_no_number_stops_the_run_before_it_is_kept(tiny_recipe, tiny_data, run_directory):
    with pytest.raises(Diverged, match=r"of epoch 1 it became .* Begin anew with a lower learning_rate\.$"):
        fit(replace(tiny_recipe, learning_rate=1e30), tiny_data, 0, run_directory)
    assert not (run_directory / CHECKPOINT).exists()


class BreakEpoch(keras.callbacks.Callback):
    """Makes a weight no number before `epoch`."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self._epoch:
            variable = self.model.trainable_variables[0]
            variable.assign(np.full(variable.shape, np.nan))


def test_a_loss_that_is_no_number_later_names_the_checkpoint_that_is_in_the_way(tiny_recipe, tiny_data, run_directory):
    with pytest.raises(Diverged, match=r"step 1 of epoch 2 .* removing .*checkpoint\.npz, which is of epoch 1"):
        fit(tiny_recipe, tiny_data, 0, run_directory, [BreakEpoch(1)])
    assert (run_directory / CHECKPOINT).exists()


def test_options_that_the_architecture_does_not_have_are_refused(tiny_recipe, tiny_data, run_directory):
    with pytest.raises(UnknownName, match="activation; 'foo' came"):
        fit(replace(tiny_recipe, options={"foo": 1}), tiny_data, 0, run_directory)
    with pytest.raises(BadRecipe, match=r"lenet5 cannot be from .*'nope'"):
        fit(replace(tiny_recipe, options={"activation": "nope"}), tiny_data, 0, run_directory)


def test_tensorboard_finds_logs(ended):
    assert list((ended[1] / "tensorboard").rglob("events.out.tfevents.*"))


def test_pictures_are_brought_to_mean_0_and_deviation_1(tiny_recipe):
    pictures = np.random.default_rng(0).integers(30, 90, (50, 16, 16, 3), np.uint8)
    statistics = Statistics(pictures.mean(axis=(0, 1, 2)), pictures.std(axis=(0, 1, 2)))
    model, _ = make_models(tiny_recipe, 3, 3, statistics)
    scaled = np.asarray(model.get_layer("scaling")(pictures))
    np.testing.assert_allclose(scaled.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=(0, 1, 2)), 1, atol=1e-4)


class Seen(keras.callbacks.Callback):
    """Counts the steps of training."""

    def __init__(self):
        super().__init__()
        self.trained = 0

    def on_train_batch_end(self, batch, logs=None):
        self.trained += 1


def test_the_last_pictures_are_held_out_and_measured(tiny_recipe, tiny_data, run_directory):
    recipe, seen = replace(tiny_recipe, validation=0.25, epochs=2), Seen()
    trained = fit(recipe, tiny_data, 0, run_directory, [seen])
    assert seen.trained == 2 * (60 // 16)
    held_out = tiny_data.train.images[60:], tiny_data.train.class_ids[60:]
    wrong = trained.model.predict(held_out[0], verbose=0).argmax(axis=-1) != held_out[1]
    assert trained.history[-1]["val_top_1_error"] == pytest.approx(wrong.mean())
    assert "val_loss" in trained.history[-1]


def test_pictures_that_are_held_out_are_never_trained_on(tiny_recipe, tiny_data, run_directory):
    """A class of its own is held out: the network cannot know it."""
    train = tiny_data.train
    order = np.argsort(train.class_ids == 2, kind="stable")
    sorted_out = replace(tiny_data, train=Pictures(train.images[order], train.class_ids[order]))
    share = (train.class_ids == 2).mean()
    trained = fit(replace(tiny_recipe, validation=float(share), epochs=6), sorted_out, 0, run_directory)
    assert trained.history[-1]["top_1_error"] == 0
    assert trained.history[-1]["val_top_1_error"] == 1


def test_some_picture_is_held_out_of_few(tiny_recipe, tiny_data, run_directory):
    trained = fit(replace(tiny_recipe, validation=0.001, epochs=1), tiny_data, 0, run_directory)
    assert trained.history[0]["val_top_1_error"] in (0, 1)


ANYWHERE = {"crop": "anywhere", "margin": 0, "translate": 0, "batch_size": 4}
"""What is streamed, of few pictures."""


def test_a_folder_is_streamed_and_its_held_out_pictures_measured(tiny_recipe, run_directory, tmp_path, monkeypatch):
    monkeypatch.setattr("training.sources.KEPT", 0)
    write_jpegs(tmp_path / "pictures", 18)
    recipe = replace(tiny_recipe, **ANYWHERE, validation=0.2)
    trained = fit(recipe, data.load(str(tmp_path / "pictures")), 0, run_directory)
    assert 0 <= trained.history[-1]["val_top_1_error"] <= 1


def test_a_folder_with_too_many_broken_pictures_stops_the_run_in_words(tiny_recipe, run_directory, tmp_path):
    write_jpegs(tmp_path / "pictures", 18)
    pictures = data.load(str(tmp_path / "pictures"))
    open(pictures.train.images.paths[0], "wb").close()
    with pytest.raises(DataUnusable, match=r"which is 0; 1 are: .*--skip-corrupt"):
        fit(replace(tiny_recipe, **ANYWHERE), pictures, 0, run_directory)
