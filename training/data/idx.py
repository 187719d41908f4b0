"""MNIST and Fashion-MNIST, from IDX files.

The format, from the MNIST page (LeCun, Cortes and Burges): two zero bytes, the type (8 is
unsigned byte), the number of dimensions, each dimension as a big-endian 32-bit integer,
then the samples, row by row.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.data_set import DataSet, Pictures
from training.data.places import find_directory, from_keras
from training.errors import DataUnusable

LABELS = {
    "mnist": tuple("0123456789"),
    # Xiao, Rasul and Vollgraf 2017, table 2, as the authors' repository spells them.
    "fashion-mnist": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
}
_PARTS = ("train", "t10k")


def load(name: str, data_dir: Path | None = None) -> DataSet:
    """60,000 training and 10,000 test pictures of `name`: uint8 [N, 28, 28, 1].

    Raises DataUnusable where the files are nowhere, or broken.
    """
    directory = find_directory(name, data_dir, _is_complete)
    if directory is None:
        parts = from_keras(name, "four IDX files (train-images-idx3-ubyte, ..., with or without .gz)")
    else:
        parts = [
            (read(_path(directory, part, "images-idx3"), 3), read(_path(directory, part, "labels-idx1"), 1))
            for part in _PARTS
        ]
    if (largest := max(int(class_ids.max(initial=0)) for _, class_ids in parts)) >= len(LABELS[name]):
        raise DataUnusable(
            f"{name} has classes 0 to {len(LABELS[name]) - 1}; {directory or 'Keras'} has {largest}. Fetch it again."
        )
    train, test = (Pictures(images[..., None], class_ids.astype(np.int32)) for images, class_ids in parts)
    return DataSet(name, LABELS[name], train, test)


def read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The samples of an IDX file of unsigned bytes, gz or not: uint8 of `dimensions` axes.

    Raises DataUnusable where the header or the length is wrong.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnusable(f"{path} is not a whole gzip file: {error}. Fetch it again.") from error
    magic = bytes([0, 0, 8, dimensions])
    header = 4 + 4 * dimensions
    if content[:4] != magic or len(content) < header:
        raise DataUnusable(
            f"An IDX file of {dimensions} dimensions of bytes begins with {magic.hex(' ')}; {path} begins with "
            f"{content[:4].hex(' ') or 'nothing'}. Fetch it again."
        )
    shape = np.frombuffer(content, ">u4", dimensions, offset=4)
    expected = header + math.prod(shape.tolist())
    if len(content) != expected:
        raise DataUnusable(
            f"An IDX file of shape {shape.tolist()} has {expected} bytes; {path} has {len(content)}. Fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _path(directory: Path, part: str, kind: str) -> Path:
    path = directory / f"{part}-{kind}-ubyte"
    return path if path.exists() else path.with_name(f"{path.name}.gz")


def _is_complete(directory: Path) -> bool:
    return all(_path(directory, part, kind).exists() for part in _PARTS for kind in ("images-idx3", "labels-idx1"))
