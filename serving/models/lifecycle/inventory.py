"""What lies in a repository's directory at one moment."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from serving.models.declaration import Declaration, read_declaration
from serving.models.engines import memory
from serving.models.lifecycle.label_files import LabelFiles, followed, read_label_files
from serving.models.lifecycle.orders import Orders, read_orders
from serving.models.lifecycle.versions import version_of


class Files(NamedTuple):
    """The files of a version, as far as can be told without reading them. Equal where nothing was written meanwhile."""

    seen: frozenset[tuple[str, int, int]]
    """Path below the version's directory, bytes, and when it was written, in nanoseconds."""

    @property
    def bytes(self) -> int:
        return sum(size for _, size, _ in self.seen)


Versions = Mapping[int, Files]

Lacks = Callable[[Path], str]
"""What the version in a directory waits for; empty where it is complete. Blocks."""


@dataclass(frozen=True)
class Inventory:
    """Everything that decides what is served."""

    declaration: Declaration = field(default_factory=Declaration)
    orders: Orders = field(default_factory=Orders)
    models: Mapping[str, Versions] = field(default_factory=dict)
    """Models that have a version's directory."""
    incomplete: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Of those, the versions of which not all has come yet, and what they wait for."""
    labels: Mapping[str, LabelFiles] = field(default_factory=dict)
    """Where files have the labels of each model."""
    ensemble_cards: Files = Files(frozenset())  # noqa: RUF009, it never changes


def take_inventory(
    root: Path, since: Inventory | None = None, lacks: Lacks | None = None, whole: str | None = None
) -> Inventory:
    """Blocks. Of versions that are other than at the inventory `since`, `lacks` tells what they wait for; those of the
    model `whole`, and all where nobody can tell, are taken to be complete.

    Raises OSError where `root` or a model in it cannot be read, and ModelRejected where models.yaml or the orders are
    none.
    """
    declaration, orders = read_declaration(root), read_orders(root)
    directories = sorted(path for path in root.iterdir() if path.is_dir())
    models = {directory.name: versions for directory in directories if (versions := dict(_versions(directory)))}
    cards = Files(frozenset(_seen(path, path.name) for path in root.glob("*.card.json")))
    asked = {name: versions for name, versions in models.items() if name != whole}
    since = since or Inventory()
    incomplete = _incomplete(root, asked, since, lacks) if lacks else {}
    labels = {}
    for name, versions in models.items():
        usable = versions.keys() - incomplete.get(name, {}).keys()
        before = since.labels.get(name, LabelFiles()).versions
        labels[name] = followed(read_label_files(root / name), usable, before)
    return Inventory(declaration, orders, models, incomplete, labels, cards)


def _incomplete(
    root: Path, models: Mapping[str, Versions], since: Inventory, lacks: Lacks
) -> dict[str, dict[int, str]]:
    """What each version waits for that is not whole."""
    waiting: dict[str, dict[int, str]] = {}
    for name, versions in models.items():
        before, waited = since.models.get(name, {}), since.incomplete.get(name, {})
        for version, files in versions.items():
            if before.get(version) == files and version not in waited:
                continue
            if reason := lacks(root / name / str(version)):
                waiting.setdefault(name, {})[version] = reason
    return waiting


def _versions(model: Path) -> Iterator[tuple[int, Files]]:
    for path in model.iterdir():
        if (version := version_of(path.name)) and path.is_dir():
            try:
                yield version, Files(frozenset(_below(path)))
            except FileNotFoundError:
                continue  # it is being removed


def _below(version: Path) -> Iterator[tuple[str, int, int]]:
    """The files of a version, but for the note that serving it leaves there."""
    for directory, _, names in os.walk(version):
        for name in names:
            path = Path(directory, name)
            relative = path.relative_to(version)
            if relative != memory.NAME and not name.startswith(f".{memory.NAME.name}-"):
                yield _seen(path, relative.as_posix())


def _seen(path: Path, name: str) -> tuple[str, int, int]:
    status = path.stat()
    return name, status.st_size, status.st_mtime_ns
