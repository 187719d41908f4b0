"""Every run that came to its end, a line each: runs/ledger.jsonl."""

import dataclasses
import fcntl
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path

from protos.classification_pb2 import Views
from protos.model_card_pb2 import ModelCard
from training.durable import fsync

NAME = "ledger.jsonl"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A run that came to its end."""

    when: str
    """When its model was published: 2026-11-23T14:05:09Z."""
    model: str
    version: int
    architecture: str
    data_set: str
    seed: int
    epochs: int
    seconds: float
    """Spent training, in all the sittings it took, by the clock on the wall."""
    cpu_seconds: float
    """Those of all cores."""
    top_1_errors: Mapping[str, float]
    """Fractions, by views: {"single": 0.08, ...}."""
    parameters: int
    """Trainable numbers."""
    device: str
    git_revision: str


_FIELDS = {field.name for field in dataclasses.fields(Entry)}


def entry_of(card: ModelCard, version: int) -> Entry:
    """The entry of the run that made `version` of a model with `card`."""
    provenance = card.provenance
    return Entry(
        when=provenance.published.ToDatetime().isoformat(timespec="seconds") + "Z",
        model=card.name,
        version=version,
        architecture=provenance.architecture,
        data_set=provenance.data_set,
        seed=provenance.seed,
        epochs=int(provenance.recipe["epochs"]),
        seconds=provenance.training_seconds,
        cpu_seconds=provenance.training_cpu_seconds,
        top_1_errors={
            Views.Name(each.views).removeprefix("VIEWS_").lower(): each.top_1_error for each in card.measurements
        },
        parameters=provenance.trainable_parameters,
        device=provenance.device,
        git_revision=provenance.git_revision,
    )


def append(path: Path, entry: Entry) -> None:
    """Adds a line to the ledger at `path`, made if missing. It is on the disk when this returns.

    Runs that end at once take turns. What a power cut left of a line stays a line of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(dataclasses.asdict(entry)).encode() + b"\n"
    with path.open("a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if _torn(file):
            line = b"\n" + line
        while line:
            line = line[file.write(line) :]
        os.fsync(file.fileno())
    fsync(path.parent)


def read(path: Path) -> list[Entry]:
    """The entries of the ledger at `path`, oldest first; none where there is no file.

    A line that is no entry is skipped with a warning that names it: a power cut leaves such. What a line says
    beyond the fields of Entry is left out.
    """
    if not path.exists():
        return []
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        lines = file.read().splitlines()
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
            entries.append(Entry(**{name: value for name, value in fields.items() if name in _FIELDS}))
        except (AttributeError, TypeError, ValueError) as error:
            warnings.warn(
                f"A ledger has one run a line, whole; line {number} of {path} is not, and is skipped: {error}. "
                "Delete the line to be rid of this.",
                stacklevel=2,
            )
    return entries


def _torn(file) -> bool:
    """Whether the last line has no end."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"
