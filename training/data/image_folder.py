"""A directory of pictures, one folder a class.

Either DIRECTORY/CLASS/PICTURE, of which about a tenth is held out, and at least one picture of
each class; or with the split made: DIRECTORY/train/CLASS/PICTURE beside DIRECTORY/test (or
DIRECTORY/val).
"""

import hashlib
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.broken import TOLERATED
from training.data.data_set import DataSet, Pictures
from training.data.encoded import Encoded, channels_of, checked
from training.errors import DataUnusable

_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_TEST_NAMES = ("test", "val")

Entry = tuple[str, int]
"""A picture's path and its class."""


@dataclass(frozen=True)
class Files(Encoded):
    """Each picture a file."""

    paths: Sequence[str]
    channels: int

    def __len__(self) -> int:
        return len(self.paths)

    def contents(self, index: int) -> bytes:
        return Path(self.paths[index]).read_bytes()

    def name(self, index: int) -> str:
        return self.paths[index]

    def chosen(self, indices: Sequence[int]) -> "Files":
        return Files([self.paths[index] for index in indices], self.channels)


def load(directory: Path, tolerated: float = TOLERATED) -> DataSet:
    """The pictures below `directory`, grey where all are grey (or the first thousand, judged by
    their headers) and RGB otherwise. Classes are the folders' names in alphabetical order.

    Nothing of the pictures is kept but their paths. Those to measure on are decoded once now, and
    broken ones left out; those to learn from come in the order of a hash of their paths, so that
    any stretch of them is a fair sample, and broken ones show when they are used.

    Raises DataUnusable where a class has no pictures (or only one, which cannot be split), the
    classes of the two parts differ, or more than a share of `tolerated` is broken.
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
    train.sort(key=lambda entry: (_hash(_relative(entry[0], directory)), entry[0]))
    channels = channels_of(*(Files([path for path, _ in entries], 3) for entries in (train, test)))
    name = directory.resolve().name
    measured = checked(_pictures(test, channels), f"{name} {test_name}", tolerated)
    return DataSet(name, labels, _pictures(train, channels), measured, test_name, tolerated)


def _classes(directory: Path) -> tuple[tuple[str, ...], list[Entry]]:
    """The names of the class folders, and every picture's path with its class."""
    folders = sorted(path for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(folders) < 2:
        raise DataUnusable(
            f"A data directory has at least two folders, each named like the class of the pictures in it; "
            f"{directory} has {len(folders)}. Sort the pictures into folders."
        )
    entries = []
    for class_id, folder in enumerate(folders):
        paths = sorted(
            os.path.join(place, name)
            for place, _, names in os.walk(os.path.join(directory, folder.name))
            for name in names
            if name.lower().endswith(_SUFFIXES)
        )
        if not paths:
            raise DataUnusable(
                f"A class folder holds pictures ({', '.join(_SUFFIXES)}); {folder} holds none. Fill it or remove it."
            )
        entries += [(path, class_id) for path in paths]
    return tuple(folder.name for folder in folders), entries


def _held_out(directory: Path, entries: list[Entry]) -> set[str]:
    """One in ten, by the hash of the path: a picture stays on its side when others come or go.

    Only in a class so small that one side would be left without do its neighbours matter: the
    picture with the smallest hash is then held out, the one with the largest is not.

    Raises DataUnusable where a class has a single picture.
    """
    held_out = set()
    for _, group in itertools.groupby(entries, lambda entry: entry[1]):
        hashes = {path: _hash(_relative(path, directory)) for path, _ in group}
        if len(hashes) == 1:
            folder = _relative(next(iter(hashes)), directory).split(os.sep)[0]
            raise DataUnusable(
                "A class has pictures to learn from and others to measure on, at least one of each; "
                f"{directory / folder} holds one in all. Add pictures or remove the folder."
            )
        smallest, *_, largest = sorted(hashes, key=hashes.__getitem__)
        tenth = {path for path, number in hashes.items() if number % 10 == 0}
        if len(tenth) == len(hashes):
            tenth.remove(largest)
        held_out |= tenth or {smallest}
    return held_out


def _relative(path: str, directory: Path) -> str:
    return path[len(os.path.join(directory, "")) :]


def _hash(relative: str) -> int:
    return int.from_bytes(hashlib.sha256(os.fsencode(relative)).digest()[:4], "big")


def _pictures(entries: list[Entry], channels: int) -> Pictures:
    paths, class_ids = zip(*entries, strict=True)
    return Pictures(Files(paths, channels), np.array(class_ids, np.int32))
