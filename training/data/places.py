"""Where the files of a named data set are looked for."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from training.errors import DataUnusable

VARIABLE = "TENCROP_DATA_DIR"
DEBIAN = Path("/usr/share/datasets")
"""Where Debian's packages put data sets, dataset-fashion-mnist say."""


def find_directory(name: str, data_dir: Path | None, is_complete: Callable[[Path], bool]) -> Path | None:
    """The directory of data set `name`: `data_dir`, itself or its sub-directory `name`. Where none is given,
    the environment's, or else Debian's. None where those have it not.

    Raises DataUnusable where `data_dir` is given and has it not.
    """
    elsewhere = [Path(os.environ[VARIABLE])] if os.environ.get(VARIABLE) else []
    for given in [data_dir] if data_dir else [*elsewhere, DEBIAN]:
        for directory in (given, given / name):
            if is_complete(directory):
                return directory
    if data_dir is None:
        return None
    raise DataUnusable(
        f"A data directory has the files of {name}, or a sub-directory {name!r} that has; {data_dir} has neither. "
        "Check the path, or leave it out."
    )


def from_keras(name: str, files: str) -> Sequence[Any]:
    """What keras.datasets gives for `name`, from its cache or downloaded: ((x, y), (x, y)).

    `files` says in the error which files a directory should have held.
    Raises DataUnusable where Keras finds nothing and cannot download.
    """
    import keras

    try:
        return getattr(keras.datasets, name.replace("-", "_")).load_data()
    except Exception as error:  # Keras raises the bare class where a download fails
        raise DataUnusable(
            f"{name} comes from one of three places: a directory with its {files}, given by --data-dir or "
            f"{VARIABLE}, or else {DEBIAN}; Keras' cache; or a download by Keras. No directory has it, and Keras says: "
            f"{error}"
        ) from error
