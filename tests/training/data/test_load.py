import subprocess
import sys

import keras
import numpy as np
import pytest

from training import data
from training.data import Pictures, cifar, idx, places
from training.data.places import VARIABLE
from training.errors import DataUnusable, UnknownName


def test_digits_are_real_handwriting_of_the_published_size():
    digits = data.load("digits")
    assert (len(digits.train), len(digits.test)) == (1437, 360)
    assert digits.train.images.shape[1:] == (32, 32, 1)
    assert (digits.train.images.dtype, digits.train.images.max()) == (np.uint8, 255)
    assert digits.labels[digits.train.class_ids[0]] == "0"
    assert np.bincount(digits.test.class_ids).min() > 30


def test_the_held_out_digits_are_the_last_in_the_published_order():
    from sklearn.datasets import load_digits

    np.testing.assert_array_equal(data.load("digits").test.class_ids, load_digits().target[-360:])


def test_digits_are_loaded_without_tensorflow():
    code = "import sys; from training.data import load; load('digits'); assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_data_set_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'fashion-mnist'"):
        data.load("fashion_mnist")


def test_held_out_pictures_are_the_last_of_training_and_test_stays_unseen(tiny_data):
    held = tiny_data.hold_out(30)
    np.testing.assert_array_equal(held.test.images, tiny_data.train.images[50:])
    np.testing.assert_array_equal(held.train.images, tiny_data.train.images[:50])
    assert held.test_name == "last 30 of train"


@pytest.mark.parametrize("count", [0, 80, 100])
def test_some_training_pictures_have_to_stay(tiny_data, count):
    with pytest.raises(DataUnusable, match=f"80 training pictures.*{count} were asked for"):
        tiny_data.hold_out(count)


def test_pictures_have_one_class_each():
    with pytest.raises(DataUnusable, match="3 pictures and 2 classes"):
        Pictures(np.zeros((3, 4, 4, 1), np.uint8), np.zeros(2, np.int32))


@pytest.mark.fashion_mnist
def test_real_fashion_mnist_has_its_pictures_and_names():
    boots = data.load("fashion-mnist")
    assert (len(boots.train), len(boots.test)) == (60_000, 10_000)
    assert boots.train.images.shape[1:] == (28, 28, 1)
    assert boots.labels[boots.train.class_ids[0]] == "Ankle boot"
    assert np.bincount(boots.test.class_ids).tolist() == [1000] * 10


@pytest.fixture
def no_download(monkeypatch):
    def fail(*arguments, **options):
        raise Exception("URL fetch failure")

    for module in (keras.datasets.mnist, keras.datasets.fashion_mnist, keras.datasets.cifar10):
        monkeypatch.setattr(module, "load_data", fail)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10"])
def test_where_no_way_works_the_error_says_all_three(name, no_download):
    with pytest.raises(DataUnusable) as caught:
        data.load(name)
    for way in ("--data-dir", VARIABLE, str(places.DEBIAN), "Keras' cache", "download", "URL fetch failure"):
        assert way in str(caught.value)


def test_keras_is_asked_where_no_directory_has_it(monkeypatch, tmp_path):
    part = (np.zeros((4, 28, 28), np.uint8), np.array([0, 1, 2, 3], np.uint8))
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: (part, part))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert data.load("fashion-mnist").train.images.shape == (4, 28, 28, 1)


def test_a_directory_that_was_named_has_to_have_it(tmp_path):
    with pytest.raises(DataUnusable, match="has neither"):
        data.load("mnist", tmp_path)


def write_cifar(directory, first_class=0):
    directory.mkdir(exist_ok=True)
    record = bytes([first_class]) + bytes([10] * 1024) + bytes([20] * 1024) + bytes([30] * 1024)
    for name in [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]:
        (directory / name).write_bytes(record * 2)


def test_cifar10_is_read_plane_by_plane(tmp_path):
    write_cifar(tmp_path / "cifar10", first_class=6)
    pictures = data.load("cifar10", tmp_path)
    assert pictures.train.images.shape == (10, 32, 32, 3)
    assert pictures.train.images[0, 0, 0].tolist() == [10, 20, 30]
    assert pictures.labels[pictures.test.class_ids[0]] == "frog"


def test_a_truncated_cifar10_file_is_refused(tmp_path):
    write_cifar(tmp_path)
    (tmp_path / "data_batch_3.bin").write_bytes(b"\0" * 3000)
    with pytest.raises(DataUnusable, match=r"data_batch_3\.bin has 3000"):
        cifar.load(tmp_path)


def test_cifar100_is_not_taken_for_cifar10(tmp_path):
    write_cifar(tmp_path, first_class=19)
    with pytest.raises(DataUnusable, match="19 came"):
        cifar.load(tmp_path)


def test_an_empty_idx_file_is_refused(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    with pytest.raises(DataUnusable, match="begins with nothing"):
        idx.read(path, 1)
