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
    """The directory of data set `name`: the sub-directory `name` of `data_dir`, or itself. Where none is given,
    that sub-directory of the environment's, or else of Debian's. None where those have it not.

    Raises DataUnusable where `data_dir` is given and has it not.
    """
    if data_dir is None:
        elsewhere = [Path(os.environ[VARIABLE])] if os.environ.get(VARIABLE) else []
        return next((root / name for root in (*elsewhere, DEBIAN) if is_complete(root / name)), None)
    for directory in (data_dir / name, data_dir):
        if is_complete(directory):
            return directory
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
