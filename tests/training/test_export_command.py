import keras
import numpy as np
import pytest
from click.testing import CliRunner

from serving.models import card as cards
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.training.architectures.small import build_small
from training import architectures
from training.errors import WeightsUnusable
from training.export_command import _number, _read_labels, export
from training.preprocessing import PRESETS


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(export, [str(argument) for argument in arguments])


def save(name="mine.keras"):
    inputs = keras.Input((4, 4, 3))
    keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs))).save(name)


def said(result):
    return " ".join(result.output.replace("│", " ").split())


COMMON = ("--labels", "labels.txt", "--gives", "logits")


def test_a_model_from_elsewhere_is_published_under_its_files_name(here):
    save()
    result = run("mine.keras", *COMMON, "--mean", "127.5", "--scale", "1/127.5")
    assert result.output == "models/mine/1\n"
    card = cards.read(here / "models" / "mine" / "1")
    assert (card.name, list(card.labels)) == ("mine", ["cat", "dog"])
    assert np.isfinite(card.golden_inputs[0].probabilities).all()


def test_numbers_take_the_place_of_the_presets_own(here, monkeypatch):
    save()
    given = []
    monkeypatch.setattr("training.adopt.publish_keras", lambda *_, prepared, **__: given.append(prepared))
    run("mine.keras", *COMMON, "--preprocessing", "caffe", "--scale", "1/2,1/4,1/8")
    run("mine.keras", *COMMON, "--channels", "bgr")
    assert given == [PRESETS["caffe"]._replace(scale=(0.5, 0.25, 0.125)), PRESETS["none"]._replace(channels="bgr")]


def test_fractions_are_numbers_and_words_are_not(here):
    save()
    assert "1/255; 'half' came" in said(run("mine.keras", *COMMON, "--scale", "half"))
    assert _number("1/255", "--scale") == 1 / 255


def test_labels_that_are_not_utf_8_are_refused(here):
    save()
    (here / "labels.txt").write_bytes("chat\nchien\nvélo\n".encode("latin-1"))
    result = run("mine.keras", *COMMON)
    assert result.exit_code == 2
    assert "labels.txt is not, from byte 12 on" in said(result)


def test_a_mark_at_the_beginning_of_a_labels_file_is_no_part_of_a_label(here):
    (here / "labels.txt").write_text("cat\nchien à poil\n", "utf-8-sig")
    assert _read_labels(here / "labels.txt") == ("cat", "chien à poil")


def test_help_names_every_preset():
    text = run("--help").output
    assert all(f"  {name} " in text for name in PRESETS)


def test_what_a_file_gives_has_to_be_said(here):
    save()
    result = run("mine.keras", "--labels", "labels.txt")
    assert result.exit_code == 2
    assert "give --gives logits or probabilities" in said(result)


def test_a_file_that_is_not_there_is_said_to_be_missing(here):
    result = run("resnet50", *COMMON)
    assert result.exit_code == 2
    assert "an architecture with --weights; there is no file resnet50" in said(result)


@pytest.fixture
def lenet(here):
    """LeNet-5 for two classes; its weights lie in lenet.weights.h5."""
    network = architectures.build("lenet5", 2)
    network.save_weights("lenet.weights.h5")
    return network


def test_weights_in_a_network_of_ours_become_a_version(here, lenet):
    result = run("LeNet-5", "--weights", "lenet.weights.h5", "--labels", "labels.txt", "--preprocessing", "unit")
    assert result.stdout == "models/LeNet-5/1\n", result.output
    assert "10 weights matched by name and shape" in result.stderr
    version = here / "models" / "LeNet-5" / "1"
    rows = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), np.uint8)
    np.testing.assert_allclose(TensorFlowEngine(version).run(rows), lenet(rows / np.float32(255)), atol=1e-5)
    assert cards.read(version).geometry.shorter_side == 37  # 32 * 256 / 224


def test_weights_of_our_own_do_not_say_how_they_were_fed(here, lenet):
    result = run("lenet5", "--weights", "lenet.weights.h5", "--labels", "labels.txt")
    assert result.exit_code == 2
    assert "give --preprocessing" in said(result)


def test_published_weights_say_how_they_were_fed(here, monkeypatch):
    (here / "resnet.pth").touch()
    given = []

    def publish(*_, prepared, **__):
        given.append(prepared)
        return "published", "report"

    monkeypatch.setattr("training.adopt.publish_weights", publish)
    run("resnet50", "--weights", "resnet.pth", "--labels", "labels.txt")
    run("resnet50", "--weights", "resnet.pth", "--labels", "labels.txt", "--mean", "0")
    assert given == [PRESETS["torch"], PRESETS["torch"]._replace(mean=(0.0,))]


RELU = ("lenet5", "--weights", "relu.keras", "--labels", "labels.txt", "--preprocessing", "unit")


def test_a_network_is_built_with_the_options_that_it_was_saved_with(here):
    network = architectures.build("lenet5", 2, activation="relu")
    network.save("relu.keras")
    assert isinstance(run(*RELU).exception, WeightsUnusable)
    result = run(*RELU, "--option", "activation=relu")
    assert result.stdout == "models/lenet5/1\n", result.output
    rows = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1), np.uint8)
    logits = TensorFlowEngine(here / "models" / "lenet5" / "1").run(rows)
    np.testing.assert_allclose(logits, network(rows / np.float32(255)), atol=1e-5)


def test_a_network_with_a_small_stem_takes_small_pictures(here):
    build_small("alexnet", 2).save("small.keras")
    arguments = ("--weights", "small.keras", "--labels", "labels.txt", "--preprocessing", "unit")
    result = run("alexnet", *arguments, "--option", "stem=small", "--option", "fc_width=32")
    assert result.stdout == "models/alexnet/1\n", result.output
    size = cards.read(here / "models" / "alexnet" / "1").input
    assert (size.height, size.width, size.channels) == (32, 32, 3)


def test_an_option_takes_the_place_of_the_one_that_the_weights_come_with(here, monkeypatch):
    (here / "resnet.pth").touch()
    built = []
    monkeypatch.setattr("training.architectures.build", lambda *_, **options: built.append(options))
    run("resnet50", "--weights", "resnet.pth", "--labels", "labels.txt", "--option", "bn_epsilon=1e-3")
    assert built == [{"v1_5": True, "stem_pooling": "pad", "bn_epsilon": 1e-3}]


def test_a_whole_file_is_given_no_options(here):
    save()
    result = run("mine.keras", *COMMON, "--option", "v1_5=true")
    assert result.exit_code == 2
    assert "leave out --option" in said(result)


@pytest.mark.parametrize("more", [("--gives", "probabilities"), ("--code", "labels.txt")])
def test_options_for_files_are_refused_with_weights(here, more):
    (here / "w.pth").touch()
    result = run("resnet50", "--weights", "w.pth", "--labels", "labels.txt", *more)
    assert result.exit_code == 2
    assert "leave out --gives and --code" in said(result)
