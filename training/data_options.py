"""The options that say which pictures a command works on, the same wherever they are asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from training.data import DataSet

data = click.option(
    "--data",
    "data_name",
    required=True,
    metavar="DATA",
    help="digits, mnist, fashion-mnist, cifar10; a directory of class folders, or of TFRecords; or tfds:NAME, of "
    "TensorFlow Datasets.",
)
data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Where the files of a named data set lie, themselves or in a sub-directory of its name. "
    "Left out: such a sub-directory of $TENCROP_DATA_DIR, or of /usr/share/datasets, where Debian puts them; then "
    "Keras' cache or a download by Keras.",
)
hold_out = click.option(
    "--hold-out",
    type=click.IntRange(min=1),
    metavar="N",
    help="Measure on the last N training pictures, which are not trained on, and leave the test pictures unseen: "
    "for choosing a recipe.",
)
skip_corrupt = click.option(
    "--skip-corrupt",
    "tolerated",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.01,  # training.data.TOLERATED, which is not entered for the help
    show_default=True,
    metavar="SHARE",
    help="Of each part, as many pictures in files may be broken; they are named and left out.",
)


def load(name: str, directory: Path | None, held_out: int | None, tolerated: float) -> "DataSet":
    """The data set that the options name. Raises UnknownName and DataUnusable."""
    from training.data import load as load_data_set

    data_set = load_data_set(name, directory, tolerated)
    return data_set.hold_out(held_out) if held_out else data_set
