"""CIFAR-10, from its binary version (Krizhevsky 2009).

A file holds 10,000 records: one byte of class, then 32 rows of 32 bytes of red, of green
and of blue.
"""

from pathlib import Path

import numpy as np

from training.data.data_set import DataSet, Pictures
from training.data.places import find_directory, from_keras
from training.errors import DataUnusable

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_TEST_FILE = "test_batch.bin"
_RECORD = 1 + 3 * 32 * 32


def load(data_dir: Path | None = None) -> DataSet:
    """50,000 training and 10,000 test pictures: uint8 [N, 32, 32, 3].

    Raises DataUnusable where the files are nowhere, or broken.
    """
    directory = find_directory("cifar10", data_dir, _is_complete)
    if directory is None:
        parts = from_keras("cifar10", f"six binary files ({_TRAIN_FILES[0]}, ..., {_TEST_FILE})")
        train, test = (Pictures(images, class_ids.astype(np.int32).ravel()) for images, class_ids in parts)
    else:
        train = _read([directory / name for name in _TRAIN_FILES])
        test = _read([directory / _TEST_FILE])
    return DataSet("cifar10", LABELS, train, test)


def _read(paths: list[Path]) -> Pictures:
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, contents, strict=True):
        if not content or len(content) % _RECORD:
            raise DataUnusable(
                f"A CIFAR-10 file has records of {_RECORD} bytes; {path} has {len(content)}. Fetch it again."
            )
    records = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, _RECORD)
    if records[:, 0].max() >= len(LABELS):
        raise DataUnusable(
            f"A CIFAR-10 record begins with its class, 0 to 9; {records[:, 0].max()} came. "
            "Take the binary version of CIFAR-10, not of CIFAR-100."
        )
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return Pictures(planes.transpose(0, 2, 3, 1), records[:, 0].astype(np.int32))


def _is_complete(directory: Path) -> bool:
    return all((directory / name).exists() for name in (*_TRAIN_FILES, _TEST_FILE))
