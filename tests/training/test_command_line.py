import numpy as np
import pytest
from click.testing import CliRunner

from serving.models import card as cards
from training import command_line, job
from training.data import NAMES


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
    assert "The same command goes on from the last whole epoch, in runs/mine" in result.output


@pytest.mark.parametrize("pair", ["activation", ""])
def test_an_option_without_a_value_is_refused(here, pair):
    result = run(command_line.train, "lenet5", *QUICK, "--out", "models/mine", "--option", pair)
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.output


def test_export_takes_fractions_and_refuses_words(here):
    (here / "model.keras").touch()
    (here / "labels.txt").write_text("a\nb\n")
    common = ("model.keras", "--labels", "labels.txt", "--out", "models/x", "--gives", "logits")
    assert "1/255; 'half' came" in run(command_line.export, *common, "--scale", "half").output
    assert command_line._number("1/255", "--scale") == 1 / 255


def test_export_says_that_labels_are_not_utf_8(here):
    (here / "model.keras").touch()
    (here / "labels.txt").write_bytes("chat\nchien\nvélo\n".encode("latin-1"))
    result = run(command_line.export, "model.keras", "--labels", "labels.txt", "--out", "models/x", "--gives", "logits")
    assert result.exit_code == 2
    assert "labels.txt is not, from byte 12 on" in " ".join(result.output.split())


def test_a_mark_at_the_beginning_of_a_labels_file_is_no_part_of_a_label(here):
    (here / "labels.txt").write_text("cat\nchien à poil\n", "utf-8-sig")
    assert command_line._read_labels(here / "labels.txt") == ("cat", "chien à poil")


@pytest.mark.parametrize("command", [command_line.train, command_line.export])
def test_help_teaches_by_example(command):
    text = run(command, "--help").output
    assert f"Examples:\n    tencrop {command.name}" in text


def test_help_names_every_data_set():
    text = run(command_line.train, "--help").output
    assert all(name in text for name in NAMES)


def test_export_publishes_a_model_from_elsewhere(here):
    import keras

    inputs = keras.Input((4, 4, 1))
    keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs))).save("mine.keras")
    (here / "labels.txt").write_text("cat\ndog\n")
    result = run(
        command_line.export,
        "mine.keras",
        "--labels",
        "labels.txt",
        "--out",
        "models/pets",
        "--gives",
        "logits",
        "--mean",
        "127.5",
        "--scale",
        "1/127.5",
    )
    assert result.output == "models/pets/1\n"
    assert list(cards.read(here / "models" / "pets" / "1").labels) == ["cat", "dog"]
    assert np.isfinite(cards.read(here / "models" / "pets" / "1").golden_inputs[0].probabilities).all()
