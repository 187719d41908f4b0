"""A directory of pictures, one folder a class.

Either DIRECTORY/CLASS/PICTURE, of which about a tenth is held out, and at least one picture of
each class; or with the split made: DIRECTORY/train/CLASS/PICTURE beside DIRECTORY/test (or
DIRECTORY/val).
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from serving.errors import InvalidRequest
from serving.pipeline.picture import Limits, decode, open_header
from training.data.data_set import DataSet, Pictures
from training.errors import DataUnusable

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}
_TEST_NAMES = ("test", "val")


@dataclass(frozen=True)
class Files(Sequence):
    """Pictures that are decoded, by serving's own decoder, each time they are asked for."""

    paths: Sequence[Path]
    channels: int

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index):
        """uint8 [height, width, channels]; of a slice, the pictures in it, not yet decoded."""
        if isinstance(index, slice):
            return Files(self.paths[index], self.channels)
        image = _decode(self.paths[index]).convert("L" if self.channels == 1 else "RGB")
        return np.asarray(image).reshape(image.height, image.width, self.channels)


def load(directory: Path) -> DataSet:
    """The pictures below `directory`, grey where all are grey and RGB otherwise. Classes are the
    folders' names in alphabetical order. Each picture is decoded once now, so that a broken one
    shows before training, and kept on disk.

    Raises DataUnusable where a class has no pictures (or only one, which cannot be split), a
    picture is broken, or the classes of the two parts differ.
    """
    test_directory = next((directory / name for name in _TEST_NAMES if (directory / name).is_dir()), None)
    if (directory / "train").is_dir() and test_directory is not None:
        labels, train = _classes(directory / "train")
        test_labels, test = _classes(test_directory)
        if labels != test_labels:
            raise DataUnusable(
                f"Both parts have the same classes; {directory / 'train'} has {', '.join(labels)} and "
                f"{test_directory} has {', '.join(test_labels)}. Rename or remove folders until they agree."
            )
        test_name = test_directory.name
    else:
        labels, entries = _classes(directory)
        held_out = _held_out(directory, entries)
        train = [entry for entry in entries if entry[0] not in held_out]
        test = [entry for entry in entries if entry[0] in held_out]
        test_name = "held out"
    channels = max(len(_decode(path).getbands()) for path, _ in train + test)
    return DataSet(directory.resolve().name, labels, _pictures(train, channels), _pictures(test, channels), test_name)


def _classes(directory: Path) -> tuple[tuple[str, ...], list[tuple[Path, int]]]:
    """The names of the class folders, and every picture's path with its class."""
    folders = sorted(path for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(folders) < 2:
        raise DataUnusable(
            f"A data directory has at least two folders, each named like the class of the pictures in it; "
            f"{directory} has {len(folders)}. Sort the pictures into folders."
        )
    entries = []
    for class_id, folder in enumerate(folders):
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
        if not paths:
            raise DataUnusable(
                f"A class folder holds pictures ({', '.join(sorted(_SUFFIXES))}); {folder} holds none. "
                "Fill it or remove it."
            )
        entries += [(path, class_id) for path in paths]
    return tuple(folder.name for folder in folders), entries


def _held_out(directory: Path, entries: list[tuple[Path, int]]) -> set[Path]:
    """One in ten, by the hash of the path: a picture stays on its side when others come or go.

    Only in a class so small that one side would be left without do its neighbours matter: the
    picture with the smallest hash is then held out, the one with the largest is not.

    Raises DataUnusable where a class has a single picture.
    """
    held_out = set()
    for _, group in itertools.groupby(entries, lambda entry: entry[1]):
        hashes = {path: _hash(path.relative_to(directory)) for path, _ in group}
        if len(hashes) == 1:
            raise DataUnusable(
                "A class has pictures to learn from and others to measure on, at least one of each; "
                f"{directory / next(iter(hashes)).relative_to(directory).parts[0]} holds one in all. "
                "Add pictures or remove the folder."
            )
        smallest, *_, largest = sorted(hashes, key=hashes.__getitem__)
        tenth = {path for path, number in hashes.items() if number % 10 == 0}
        if len(tenth) == len(hashes):
            tenth.remove(largest)
        held_out |= tenth or {smallest}
    return held_out


def _hash(path: Path) -> int:
    return int.from_bytes(hashlib.sha256(path.as_posix().encode()).digest()[:4], "big")


def _decode(path: Path) -> Image.Image:
    try:
        return decode(open_header(path.read_bytes(), Limits()))
    except InvalidRequest as error:
        raise DataUnusable(f"{path}: {error}") from error


def _pictures(entries: list[tuple[Path, int]], channels: int) -> Pictures:
    class_ids: NDArray[np.int32] = np.array([class_id for _, class_id in entries], np.int32)
    return Pictures(Files([path for path, _ in entries], channels), class_ids)
