"""How files of TFRecords are called: train-00000-of-00016, validation-00001-of-00002."""

import os
import re
from pathlib import Path

PARTS = ("train", "validation")

PATTERN = re.compile(rf"({'|'.join(PARTS)})-(\d{{5}})-of-(\d{{5}})")
"""Part, number, how many there are."""


def shard_name(part: str, number: int, shards: int) -> str:
    return f"{part}-{number:05d}-of-{shards:05d}"


def shards_in(directory: Path) -> list[str]:
    """The names of the shards in `directory`, in order."""
    return sorted(name for name in os.listdir(directory) if PATTERN.fullmatch(name))
