"""What a store lists, sorted into models and their versions. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from serving.models.declaration import DECLARATION
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
    """Versions with their files, and the files beside the models: models.yaml and cards of ensembles."""

    versions: Mapping[Version, Files]
    beside: Files
    strays: frozenset[str] = frozenset()
    """Keys that no file may have: they would lead out of the directory."""


def arrange(listed: Iterable[tuple[str, Entry]]) -> Shelf:
    """Sorts what is `listed`, keys below the store's prefix. What belongs to no model is left out."""
    versions: dict[Version, dict[str, Entry]] = {}
    beside: dict[str, Entry] = {}
    strays = set()
    for key, entry in listed:
        if not is_plain(key):
            strays.add(key)
            continue
        parts = PurePosixPath(key).parts
        if len(parts) == 1 and (key == DECLARATION or key.endswith(_ENSEMBLE_CARD)):
            beside[key] = entry
        # "01" would be version 1 once more, under another name.
        elif len(parts) > 2 and (number := version_of(parts[1])) and str(number) == parts[1]:
            versions.setdefault(Version(parts[0], number), {})["/".join(parts[2:])] = entry
    return Shelf(versions, beside, frozenset(strays))


def is_plain(key: str) -> bool:
    """Whether `key` names a file below the directory that it is joined to, whatever that is."""
    parts = key.split("/")
    named = all(
        part not in ("", ".", "..") and len(part.encode("utf-8", "replace")) <= _MAX_NAME_BYTES for part in parts
    )
    return named and len(parts) <= _MAX_DEPTH and key.isprintable() and "\\" not in key and not key.startswith(".")


def identity(files: Files) -> str:
    """The same for the same files, and for no others."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()[:16]
