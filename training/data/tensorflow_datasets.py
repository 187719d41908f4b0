"""Data sets of the package tensorflow-datasets, by their name there.

Its files are TFRecords, and read as such: what is large is streamed.
"""

from pathlib import Path
from typing import Any

from training.data.broken import TOLERATED
from training.data.data_set import DataSet
from training.data.encoded import channels_of
from training.data.records import data_set
from training.data.shards import Layout, Records, Span
from training.errors import DataUnusable

_IMAGE, _LABEL = "image", "label"


def load(name: str, data_dir: Path | None = None, tolerated: float = TOLERATED) -> DataSet:
    """The data set that the package calls `name`, with a configuration and a version where those are wanted:
    cifar10, cifar10:3.0.2, cifar10_corrupted/fog_1. It is downloaded where the package does not find it in
    `data_dir`, or its own directory.

    Raises DataUnusable where the package is missing, knows no such name, cannot download it, or it is none
    of pictures with a class each.
    """
    builder = _prepared(name, data_dir)
    features, splits = builder.info.features, builder.info.splits
    if not {_IMAGE, _LABEL} <= set(features) or "train" not in splits or not hasattr(features[_LABEL], "names"):
        raise DataUnusable(
            f"Of TensorFlow Datasets those fit that have a split train, pictures called {_IMAGE!r} and classes called "
            f"{_LABEL!r}; {name} has {', '.join(features)} in splits {', '.join(splits)}. Take another."
        )
    labels = features[_LABEL].names
    layout = Layout(_IMAGE, _LABEL, 0, len(labels))
    train = _records(splits["train"], layout, features)
    measured = _measured({split: _records(splits[split], layout, features) for split in splits if split != "train"})
    if measured is None:
        raise DataUnusable(
            f"A data set has pictures to measure on; {name} has none with classes in a split called test or "
            f"validation, but only {', '.join(splits)}. Write it into a directory of class folders."
        )
    return data_set(f"tfds:{name}", labels, train, *measured, tolerated)


def _prepared(name: str, data_dir: Path | None) -> Any:
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise DataUnusable(
            f"tfds:{name} is read by the package tensorflow-datasets, which is not installed ({error}). "
            "Install it: pip install tensorflow-datasets"
        ) from error
    try:
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
    except Exception as error:  # whatever downloads and hundreds of builders raise
        raise DataUnusable(
            f"tfds:NAME is a data set of TensorFlow Datasets {tfds.__version__} that is prepared or can be downloaded; "
            f"of {name!r} it says: {error}"
        ) from error
    if builder.info.file_format.value != "tfrecord":
        raise DataUnusable(
            f"TensorFlow Datasets are read from TFRecords; {name} in {builder.data_dir} is prepared as "
            f"{builder.info.file_format.value}. Prepare it anew with file_format='tfrecord'."
        )
    return builder


def _records(split: Any, layout: Layout, features: Any) -> Records:
    spans = tuple(
        Span(str(path), 0, length) for path, length in zip(split.filepaths, split.shard_lengths, strict=True) if length
    )
    records = Records(spans, layout, 3)
    return Records(spans, layout, features[_IMAGE].shape[-1] or channels_of(records))


def _measured(parts: dict[str, Records]) -> tuple[Records, str] | None:
    """The pictures to measure on and what they are called: test, or validation where test has no classes."""
    for name in ("test", "validation"):
        try:
            parts[name].class_id(0)
        except (KeyError, DataUnusable):
            continue
        return parts[name], name
    return None
