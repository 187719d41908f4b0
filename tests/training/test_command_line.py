import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from serving.models import card as cards
from training import architectures, command_line, history, job, ledger
from training.data import NAMES, TOLERATED
from training.data.places import DEBIAN
from training.errors import DataUnusable


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command, *arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


QUICK = ("--data", "digits", "--epochs", 1, "--batch-size", 128)


def test_train_publishes_what_was_asked_for(here):
    result = run(
        command_line.train,
        "lenet5",
        *QUICK,
        "--no-mirror",
        "--seed",
        3,
        "--option",
        "activation=relu",
        "--out",
        "models/mine",
    )
    assert result.exit_code == 0, result.output
    assert "models/mine/1: top-1 error on digits held out (360 pictures): single" in result.output
    card = cards.read(here / "models" / "mine" / "1")
    recipe = dict(card.provenance.recipe)
    assert (recipe["epochs"], recipe["batch_size"], recipe["mirror"], card.provenance.seed) == (1, 128, False, 3)
    assert recipe["options"]["activation"] == "relu"
    assert not (here / "runs" / "mine" / "checkpoint.npz").exists()


def test_a_recipe_can_be_chosen_without_the_test_pictures(here):
    result = run(command_line.train, "lenet5", *QUICK, "--hold-out", 300, "--out", "models/mine")
    assert "digits last 300 of train (300 pictures)" in result.output, result.output


def test_an_interrupted_run_says_how_it_goes_on(here, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "train", interrupt)
    result = run(command_line.train, "lenet5", *QUICK, "--out", "models/mine")
    assert result.exit_code == 130
    assert "The same command goes on from the checkpoint in runs/mine" in result.output


@pytest.mark.parametrize("pair", ["activation", ""])
def test_an_option_without_a_value_is_refused(here, pair):
    result = run(command_line.train, "lenet5", *QUICK, "--out", "models/mine", "--option", pair)
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.output


@pytest.mark.parametrize("command", [command_line.train])
def test_help_teaches_by_example(command):
    text = run(command, "--help").output
    assert f"Examples:\n    tencrop {command.name}" in text


def test_help_names_every_data_set():
    text = run(command_line.train, "--help").output
    assert all(name in text for name in (*NAMES, "TFRecords", "tfds:NAME", str(DEBIAN)))


def test_as_many_broken_pictures_are_skipped_as_are_said(here, monkeypatch):
    asked = []
    monkeypatch.setattr("training.data.load", lambda *given: asked.append(given) or _stop())
    run(command_line.train, "lenet5", "--data", "pictures/", "--skip-corrupt", 0.2)
    run(command_line.train, "lenet5", "--data", "pictures/")
    assert asked == [("pictures/", None, 0.2), ("pictures/", None, TOLERATED)]


def _stop():
    raise DataUnusable("Enough is seen.")


def test_a_run_leaves_its_history_its_curves_and_a_line_in_the_ledger(here):
    result = run(command_line.train, "LeNet-5", *QUICK)
    assert result.exit_code == 0, result.output
    assert "models/lenet5-digits/1: top-1 error" in result.output
    assert "a line in runs/ledger.jsonl" in result.output
    (row,) = history.read(here / "runs" / "lenet5-digits" / job.HISTORY)
    assert row["epoch"] == 1
    assert (here / "runs" / "lenet5-digits" / job.CURVES).read_bytes().startswith(b"\x89PNG")
    (entry,) = ledger.read(here / "runs" / ledger.NAME)
    card = cards.read(here / "models" / "lenet5-digits" / "1")
    assert entry == ledger.entry_of(card, 1)
    assert entry.cpu_seconds > 0
    assert entry.device


def test_a_smoke_is_one_step(here):
    result = run(command_line.train, "lenet5", "--data", "digits", "--variant", "smoke")
    assert result.exit_code == 0, result.output
    assert dict(cards.read(here / "models" / "lenet5-digits" / "1").provenance.recipe)["steps"] == 1


def test_training_begins_with_the_weights_of_a_file(here):
    network = architectures.build("lenet5", 7, (32, 32, 1), activation="relu")
    network.save(here / "other.keras")
    kernel = np.asarray(network.get_layer("c1").kernel)
    slow = ("--epochs", 1, "--steps", 1, "--learning-rate", 1e-20, "--l2", 0)
    result = run(command_line.train, "lenet5", "--data", "digits", *slow, "--init", "other.keras")
    assert result.exit_code == 0, result.output
    assert "As drawn, since the file is of other classes: output/kernel, output/bias" in result.output
    engine = tf.saved_model.load(str(here / "models" / "lenet5-digits" / "1"))
    kernels = [each.numpy() for each in engine.weights if each.shape == kernel.shape]
    np.testing.assert_allclose(kernels[0], kernel, atol=1e-6)
