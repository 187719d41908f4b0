"""Data sets: pictures with class names, all of one type."""

from pathlib import Path

from training.data import cifar, digits, idx, image_folder
from training.data.data_set import DataSet, Pictures
from training.names import unknown

__all__ = ["NAMES", "DataSet", "Pictures", "load"]

NAMES = ("digits", "mnist", "fashion-mnist", "cifar10")
"""Data sets with a name; anything else is a directory."""


def load(name: str, data_dir: Path | None = None) -> DataSet:
    """The data set called `name`, or the directory of class folders at `name`.

    `data_dir` is where the files of a named data set lie (or a sub-directory of that name);
    left out, the environment's TENCROP_DATA_DIR, then Keras' own cache and download.

    Raises UnknownName and DataUnusable.
    """
    match name:
        case "digits":
            return digits.load()
        case "mnist" | "fashion-mnist":
            return idx.load(name, data_dir)
        case "cifar10":
            return cifar.load(data_dir)
    if Path(name).is_dir():
        return image_folder.load(Path(name))
    raise unknown("a data set that is no directory", name, NAMES)
