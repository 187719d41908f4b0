"""Data sets: pictures with class names, all of one type."""

from pathlib import Path

from training.data import cifar, digits, idx, image_folder
from training.data.broken import TOLERATED
from training.data.data_set import DataSet, Pictures
from training.data.shard_names import shards_in
from training.names import unknown

__all__ = ["NAMES", "TOLERATED", "DataSet", "Pictures", "load"]

NAMES = ("digits", "mnist", "fashion-mnist", "cifar10")
"""Data sets with a name; beside them there are tfds:NAME and directories."""

_TFDS = "tfds:"


def load(name: str, data_dir: Path | None = None, tolerated: float = TOLERATED) -> DataSet:
    """The data set called `name`; TensorFlow Datasets' own where it is tfds:NAME; or the directory of
    class folders or of TFRecords at `name`.

    `data_dir` is where the files of a named data set lie (or a sub-directory of that name);
    left out, the environment's TENCROP_DATA_DIR, where Debian installs data sets, then Keras' own
    cache and download. A share of `tolerated` of the pictures in files may be broken.

    Raises UnknownName and DataUnusable.
    """
    match name:
        case "digits":
            return digits.load()
        case "mnist" | "fashion-mnist":
            return idx.load(name, data_dir)
        case "cifar10":
            return cifar.load(data_dir)
    if name.startswith(_TFDS):
        from training.data import tensorflow_datasets

        return tensorflow_datasets.load(name.removeprefix(_TFDS), data_dir, tolerated)
    directory = Path(name)
    if not directory.is_dir():
        raise unknown("a data set that is no directory", name, NAMES)
    if shards_in(directory):
        from training.data import records

        return records.load(directory, tolerated)
    return image_folder.load(directory, tolerated)
