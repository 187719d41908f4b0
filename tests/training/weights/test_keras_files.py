"""Files of Keras' hold all of their weights themselves: nothing else is opened, and no more is read than they hold."""

import zipfile

import h5py
import numpy as np
import pytest

from tests.training.weights import legacy_writer
from training import architectures
from training.errors import WeightsUnusable
from training.weights import keras_files

KERNEL = np.arange(2500, dtype=np.float32).reshape(50, 50)


@pytest.fixture
def path(tmp_path):
    """A file of two layers, "a" and "b"; each has a kernel alone."""
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["a", "b"]
        for name in "ab":
            legacy_writer.write_group(file, name, {f"{name}/kernel:0": KERNEL})
    return path


@pytest.fixture
def elsewhere(tmp_path):
    path = tmp_path / "elsewhere.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = KERNEL
    return path


def soft_link(group, name, elsewhere):
    group[name] = h5py.SoftLink("/a/a/kernel:0")


def external_link(group, name, elsewhere):
    group[name] = h5py.ExternalLink(elsewhere, "numbers")


def external_storage(group, name, elsewhere):
    group.create_dataset(name, KERNEL.shape, "f4", external=[(str(elsewhere), 0, KERNEL.nbytes)])


def virtual(group, name, elsewhere):
    layout = h5py.VirtualLayout(KERNEL.shape, "f4")
    layout[:] = h5py.VirtualSource(elsewhere, "numbers", KERNEL.shape)
    group.create_virtual_dataset(name, layout)


@pytest.mark.parametrize("point", [soft_link, external_link, external_storage, virtual])
def test_weights_that_lie_elsewhere_are_refused(path, elsewhere, point):
    with h5py.File(path, "a") as file:
        del file["b/b/kernel:0"]
        point(file["b/b"], "kernel:0", elsewhere)
    with pytest.raises(WeightsUnusable, match=r"in .*mine\.h5, b/b/kernel:0 points to another place"):
        keras_files.read(path)


def test_a_whole_layer_that_lies_elsewhere_is_refused(path, elsewhere):
    with h5py.File(path, "a") as file:
        del file["b"]
        file["b"] = h5py.ExternalLink(elsewhere, "/")
    with pytest.raises(WeightsUnusable, match="b points to another place"):
        keras_files.read(path)


def declared(group):
    group.create_dataset("kernel:0", (10**6, 10**7), "f4", chunks=(10, 10))


def of_zeros(group):
    group.create_dataset("kernel:0", data=np.zeros((1000, 1000), "f4"), compression="gzip")


def linked_over_and_over(group):
    group["kernel:0"] = KERNEL
    for number in range(100):
        group[f"again {number}"] = group["kernel:0"]


@pytest.mark.parametrize("swell", [declared, of_zeros, linked_over_and_over])
def test_a_file_that_is_far_smaller_than_what_is_in_it_is_refused(path, swell):
    with h5py.File(path, "a") as file:
        del file["b/b/kernel:0"]
        swell(file["b/b"])
    with pytest.raises(WeightsUnusable, match=r"at most 20 times its own size; .*mine\.h5 has \d+ bytes, and \d+ are"):
        keras_files.read(path)


def test_an_archive_that_is_far_smaller_than_what_is_in_it_is_refused(tmp_path):
    path = tmp_path / "mine.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10**6))
    with pytest.raises(WeightsUnusable, match="and 1000000 are said to be in it"):
        keras_files.read(path)


def test_compressed_weights_are_read(path):
    sparse = np.where(np.random.default_rng(0).random((500, 500)) < 0.05, 1.5, 0).astype(np.float32)
    with h5py.File(path, "a") as file:
        del file["b/b/kernel:0"]
        file["b/b"].create_dataset("kernel:0", data=sparse, compression="gzip")
    np.testing.assert_array_equal(keras_files.read(path)["b/kernel"], sparse)


def test_a_compressed_archive_is_read(tmp_path):
    path = tmp_path / "mine.keras"
    network = architectures.build("lenet5", 4)
    network.save(tmp_path / "stored.keras")
    with (
        zipfile.ZipFile(tmp_path / "stored.keras") as stored,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in stored.namelist():
            archive.writestr(name, stored.read(name))
    np.testing.assert_array_equal(keras_files.read(path)["c1/kernel"], network.get_layer("c1").kernel)


def test_words_in_the_place_of_weights_are_refused(path):
    with h5py.File(path, "a") as file:
        del file["b/b/kernel:0"]
        file["b/b/kernel:0"] = ["a", "word"]
    with pytest.raises(WeightsUnusable, match="cannot be read: /b/b/kernel:0 holds no numbers"):
        keras_files.read(path)


@pytest.mark.parametrize("config", ["no json", "3", '{"config": {"layers": [3], "name": "a"}}'])
def test_a_config_of_nonsense_is_refused(path, config):
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = config
    with pytest.raises(WeightsUnusable, match=r"mine\.h5 cannot be read"):
        keras_files.settings(path, "lenet5")
