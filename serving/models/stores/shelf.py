"""What a store lists, sorted into models and their versions. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

from serving.models.declaration import DECLARATION
from serving.models.lifecycle import label_files
from serving.models.lifecycle.orders import ORDERS
from serving.models.lifecycle.versions import version_of

_MAX_DEPTH, _MAX_NAME_BYTES = 16, 200
_ENSEMBLE_CARD = ".card.json"


class Entry(NamedTuple):
    """One file of a store."""

    bytes: int
    tag: str
    """Changes with the content: an ETag, or failing that a time."""


class Version(NamedTuple):
    """A version of a model."""

    model: str
    number: int


Files = Mapping[str, Entry]
"""By path below the version's directory, with forward slashes."""


@dataclass(frozen=True)
class Shelf:
    """Versions with their files, and what lies beside them."""

    versions: Mapping[Version, Files]
    beside: Files
    """By name: models.yaml and cards of ensembles."""
    labels: Files = field(default_factory=dict)
    """Files that give labels, NAME/labels/production. Of a model with too many, those that are followed and one more.
    """
    strays: frozenset[str] = frozenset()
    """Keys that no file may have: they would lead out of the directory."""


def arrange(listed: Iterable[tuple[str, Entry]]) -> Shelf:
    """Sorts what is `listed`, keys below the store's prefix. What belongs to no model is left out."""
    versions: dict[Version, dict[str, Entry]] = {}
    beside: dict[str, Entry] = {}
    labels: dict[str, dict[str, Entry]] = {}
    strays = set()
    for key, entry in listed:
        parts = PurePosixPath(key).parts
        if not is_plain(key) or (len(parts) > 1 and _is_of_a_file(parts[0])):
            strays.add(key)
        elif len(parts) == 1 and key != ORDERS and _is_of_a_file(key):
            beside[key] = entry
        elif len(parts) == 3 and parts[1] == label_files.FOLDER:
            labels.setdefault(parts[0], {})[key] = entry
        # "01" would be version 1 once more, under another name.
        elif len(parts) > 2 and (number := version_of(parts[1])) and str(number) == parts[1]:
            versions.setdefault(Version(parts[0], number), {})["/".join(parts[2:])] = entry
    most = label_files.MAX_FILES + 1
    carried = {key: entry for files in labels.values() for key, entry in sorted(files.items())[:most]}
    return Shelf(versions, beside, carried, frozenset(strays))


def is_plain(key: str) -> bool:
    """Whether `key` names a file below the directory that it is joined to, whatever that is."""
    parts = key.split("/")
    named = all(
        part not in ("", ".", "..") and len(part.encode("utf-8", "replace")) <= _MAX_NAME_BYTES for part in parts
    )
    return named and len(parts) <= _MAX_DEPTH and key.isprintable() and "\\" not in key and not key.startswith(".")


def _is_of_a_file(name: str) -> bool:
    """Whether a file beside the models has this name, so that no model has."""
    return name in (DECLARATION, ORDERS) or name.endswith(_ENSEMBLE_CARD)


def identity(files: Files) -> str:
    """The same for the same files, and for no others."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()[:16]
