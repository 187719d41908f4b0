"""Where the files of a named data set are looked for."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from training.errors import DataUnusable

VARIABLE = "TENCROP_DATA_DIR"


def find_directory(name: str, data_dir: Path | None, is_complete: Callable[[Path], bool]) -> Path | None:
    """The directory of data set `name`: `data_dir`, or else the environment's, itself or its
    sub-directory `name`. None where neither is given, or the environment's has it not.

    Raises DataUnusable where `data_dir` is given and has it not.
    """
    given = data_dir or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if given is None:
        return None
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
            f"{VARIABLE}; Keras' cache; or a download by Keras. No directory has it, and Keras says: {error}"
        ) from error
