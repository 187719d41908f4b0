"""A directory of TFRecords in the ImageNet convention.

Files train-00000-of-00016 and so on, and validation-00000-of-00002; records with image/encoded, a JPEG or
another file's bytes, and image/class/label, which counts from 1 (0 is the background, which no picture
shows). labels.txt names the classes, a line each; or, where labels count otherwise, in lines like
"0:daisy", each with its label.

manifest.json says how many records each file has. Where it is missing the files are looked through once,
and it is written.
"""

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track

from training.data.broken import TOLERATED
from training.data.data_set import DataSet, Pictures
from training.data.encoded import channels_of, checked
from training.data.shard_names import PARTS, PATTERN, shard_name, shards_in
from training.data.shards import Classes, Layout, Records, Span, count
from training.durable import replacing
from training.errors import DataUnusable

LABELS, MANIFEST = "labels.txt", "manifest.json"
IMAGE, LABEL = "image/encoded", "image/class/label"
FIRST_LABEL = 1

_BACKGROUND = ("0:background", "0: background")
_log = logging.getLogger("tencrop.data")


class Manifest(NamedTuple):
    """What need not be counted again."""

    records: dict[str, int]
    """File name -> how many records."""
    channels: int

    def encode(self) -> bytes:
        return json.dumps(self._asdict(), indent=1).encode()


def load(directory: Path, tolerated: float = TOLERATED) -> DataSet:
    """The pictures of the shards in `directory`. They stay there: of those to learn from nothing is kept in
    memory; those to measure on are looked through once, and broken ones left out.

    Raises DataUnusable where a file is missing or they do not belong together, or more than a share of
    `tolerated` of those to measure on is broken.
    """
    names = _shards(directory)
    labels, first_label = _labels(directory / LABELS)
    layout = Layout(IMAGE, LABEL, first_label, len(labels))
    manifest = _manifest(directory, names, layout)
    train, test = (_records(directory, part, manifest, layout) for part in PARTS)
    name = directory.resolve().name
    return data_set(name, labels, train, test, PARTS[1], tolerated)


def data_set(
    name: str, labels: Sequence[str], train: Records, test: Records, test_name: str, tolerated: float
) -> DataSet:
    """Raises DataUnusable where more than a share of `tolerated` of `test` is broken."""
    measured = checked(Pictures(test, Classes(test)), f"{name} {test_name}", tolerated)
    return DataSet(name, tuple(labels), Pictures(train, Classes(train)), measured, test_name, tolerated)


def _shards(directory: Path) -> list[str]:
    """The names of all shards. Raises DataUnusable where one is missing."""
    found = shards_in(directory)
    for part in PARTS:
        totals = {int(match[3]) for name in found if (match := PATTERN.fullmatch(name))[1] == part}
        if len(totals) != 1:
            raise DataUnusable(
                f"A directory of TFRecords has one whole set of files {part}-00000-of-NNNNN for each of "
                f"{' and '.join(PARTS)}; {directory} has {len(totals) or 'none'} of {part}. "
                "Put one there, or write it with tencrop records."
            )
        (total,) = totals
        missing = [name for number in range(total) if (name := shard_name(part, number, total)) not in found]
        if missing:
            raise DataUnusable(
                f"All {total} files of {part} stand together; {directory} lacks {', '.join(missing[:5])}"
                f"{', ...' if len(missing) > 5 else ''}. Copy them there."
            )
    return found


def _labels(path: Path) -> tuple[list[str], int]:
    """The classes' names, and the label of the first."""
    if not path.exists():
        raise DataUnusable(
            f"{LABELS} beside the records names their classes, a line each, the first for label {FIRST_LABEL}; "
            f"or in lines like 0:daisy, each with its label. {path} is missing. Write it."
        )
    lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    numbered = [re.fullmatch(r"(\d+):\s*(.+)", line) for line in lines]
    if not lines or not all(numbered):
        names, first = lines, FIRST_LABEL
    else:
        pairs = sorted((int(match[1]), match[2]) for match in numbered if match[0] not in _BACKGROUND)
        names, first = [name for _, name in pairs], pairs[0][0]
        if [number for number, _ in pairs] != list(range(first, first + len(pairs))):
            raise DataUnusable(
                f"Labels follow one another without a gap; {path} has {len(pairs)} from {first} to "
                f"{pairs[-1][0]}. Correct it."
            )
    if len(names) < 2 or len(set(names)) < len(names):
        raise DataUnusable(
            f"{LABELS} has two classes at least, each with a name of its own; {path} has {len(names)} lines and "
            f"{len(set(names))} names. Correct it."
        )
    return names, first


def _manifest(directory: Path, names: list[str], layout: Layout) -> Manifest:
    path = directory / MANIFEST
    if not path.exists():
        return _look_through(directory, names, layout)
    try:
        manifest = Manifest(**json.loads(path.read_text()))
        known = sorted(manifest.records)
    except (ValueError, TypeError, AttributeError) as error:
        raise DataUnusable(
            f"{MANIFEST} counts the records of each file; {path} cannot be read ({error}). Remove it, and they are "
            "counted again."
        ) from error
    if known != names:
        raise DataUnusable(
            f"{MANIFEST} lists the files that stand beside it; {path} lists {len(known)} files, and others than the "
            f"{len(names)} that are there. Remove it, and they are counted again."
        )
    return manifest


def _look_through(directory: Path, names: list[str], layout: Layout) -> Manifest:
    """Counts, once; and leaves the manifest where that is allowed."""
    terminal = Console(stderr=True)
    counted = track(names, "Counting records", console=terminal, transient=True, disable=not terminal.is_terminal)
    records = {}
    for name in counted:
        records[name], whole = count(str(directory / name))
        if not whole:
            _log.warning("Skipped the end of %s, which breaks off after %d records.", directory / name, records[name])
    manifest = Manifest(records, channels=3)
    parts = [_records(directory, part, manifest, layout) for part in PARTS]
    manifest = manifest._replace(channels=channels_of(*parts))
    try:
        with replacing(directory / MANIFEST) as file:
            file.write(manifest.encode())
    except OSError as error:
        _log.warning("Records will be counted again next time: %s", error)
    return manifest


def _records(directory: Path, part: str, manifest: Manifest, layout: Layout) -> Records:
    spans = [
        Span(str(directory / name), 0, records)
        for name, records in sorted(manifest.records.items())
        if name.startswith(f"{part}-") and records
    ]
    if not spans:
        raise DataUnusable(f"The files of {part} hold pictures; those in {directory} hold none. Write them anew.")
    return Records(tuple(spans), layout, manifest.channels)
