import gzip
import struct

import numpy as np
import pytest

from training import data
from training.data import idx, places
from training.data.places import VARIABLE
from training.errors import DataUnusable


def to_idx(samples):
    samples = np.asarray(samples, np.uint8)
    header = bytes([0, 0, 8, samples.ndim]) + struct.pack(f">{samples.ndim}I", *samples.shape)
    return header + samples.tobytes()


def write_mnist(directory, compress):
    directory.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 5), ("t10k", 3)):
        images = np.arange(count * 28 * 28).reshape(count, 28, 28) % 251
        for kind, samples in (("images-idx3", images), ("labels-idx1", np.arange(count))):
            name = f"{part}-{kind}-ubyte"
            if compress:
                (directory / f"{name}.gz").write_bytes(gzip.compress(to_idx(samples)))
            else:
                (directory / name).write_bytes(to_idx(samples))


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("sub_directory", ["", "fashion-mnist"])
def test_reads_idx_files_plain_or_compressed_from_a_directory_or_below(tmp_path, compress, sub_directory):
    write_mnist(tmp_path / sub_directory, compress)
    boots = data.load("fashion-mnist", tmp_path)
    assert boots.train.images.shape == (5, 28, 28, 1)
    assert boots.train.images[0, 1, 2, 0] == 30
    assert boots.test.class_ids.tolist() == [0, 1, 2]
    assert boots.labels[9] == "Ankle boot"


def test_the_environment_names_the_directory(tmp_path, monkeypatch):
    write_mnist(tmp_path / "mnist", compress=True)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert len(data.load("mnist").train) == 5


def test_another_data_set_of_the_same_file_names_is_not_taken_for_it(tmp_path, monkeypatch):
    write_mnist(tmp_path, compress=True)  # clothes, say
    write_mnist(tmp_path / "mnist", compress=True)
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(to_idx([7, 7, 7]))
    assert data.load("mnist", tmp_path).test.class_ids.tolist() == [7, 7, 7]
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mnist"))
    monkeypatch.setattr(places, "DEBIAN", tmp_path)
    assert data.load("mnist").test.class_ids.tolist() == [7, 7, 7]
    assert places.find_directory("fashion-mnist", None, lambda directory: directory.is_dir()) is None


def test_classes_that_the_data_set_does_not_have_are_refused(tmp_path):
    write_mnist(tmp_path, compress=False)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(to_idx([1, 2, 25]))
    with pytest.raises(DataUnusable, match=r"classes 0 to 9; .* has 25"):
        data.load("mnist", tmp_path)


def test_where_debian_installs_data_sets_they_are_found_by_themselves(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "DEBIAN", tmp_path)
    write_mnist(tmp_path / "fashion-mnist", compress=True)
    assert len(data.load("fashion-mnist").train) == 5
    write_mnist(tmp_path / "mine" / "fashion-mnist", compress=True)
    (tmp_path / "mine" / "fashion-mnist" / "t10k-labels-idx1-ubyte").write_bytes(to_idx([7, 7, 7]))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert data.load("fashion-mnist").test.class_ids.tolist() == [7, 7, 7]


BROKEN = {
    "another type": (
        b"\0\0\x0d\1" + struct.pack(">I", 2) + b"ab",
        r"begins with 00 00 08 01; .* begins with 00 00 0d 01",
    ),
    "other dimensions": (to_idx(np.zeros((2, 2))), r"begins with 00 00 08 02"),
    "no IDX file": (b"<html>", r"begins with 3c 68 74 6d"),
    "a broken header": (b"\0\0\x08\1\0", r"of 1 dimensions"),
    "a truncated file": (to_idx(np.zeros(10))[:-3], r"\[10\] has 18 bytes; .* has 15"),
    "too many bytes": (to_idx(np.zeros(10)) + b"x", r"has 18 bytes; .* has 19"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "labels"
    path.write_bytes(content)
    with pytest.raises(DataUnusable, match=message):
        idx.read(path, 1)


@pytest.mark.parametrize(
    "content", [gzip.compress(b"x" * 5000)[:-9], b"not gzip", b""], ids=["cut off", "other", "empty"]
)
def test_a_broken_gzip_file_is_refused(tmp_path, content):
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with pytest.raises(DataUnusable):
        idx.read(path, 1)


def test_pictures_and_labels_of_different_number_are_refused(tmp_path):
    write_mnist(tmp_path, compress=False)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(to_idx([1, 2]))
    with pytest.raises(DataUnusable, match="3 pictures and 2 classes"):
        data.load("mnist", tmp_path)
