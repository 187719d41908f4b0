"""What a mirror fetches and what it hides. Pure: the time is handed in, and nothing is read."""

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from serving.models.card import CARD_PATH
from serving.models.stores.shelf import Files, Shelf, Version

NEWEST = 2
"""Versions of a model that are mirrored, beside those that are pinned or in use: one, and one to fall back to."""
GONE_SECONDS = 60.0
"""A version that a store has not listed for so long has been removed from it."""


class Seen(NamedTuple):
    """How a version was listed, and since when it is so."""

    files: Files | None
    """None where the store does not list it."""
    since: float


class Plan(NamedTuple):
    """What a mirror does next."""

    fetch: list[Version]
    """In this order: every model's newest, then what is older."""
    settling: list[Version]
    """Not fetched yet: no card says which files are all."""
    hide: list[Version]


def watched(
    before: Mapping[Version, Seen], remote: Shelf, local: Iterable[Version], now: float
) -> Mapping[Version, Seen]:
    """What is known of every version that the store or the mirror has, with what was known `before`."""
    known = {}
    for version in {*remote.versions, *local}:
        files = remote.versions.get(version)
        seen = before.get(version)
        known[version] = seen if seen and seen.files == files else Seen(files, now)
    return known


def wanted(remote: Shelf, pinned: Collection[Version], in_use: Collection[Version]) -> set[Version]:
    """Versions that are worth their room."""
    newest = {version for version, rank in _ranks(remote).items() if rank < NEWEST}
    return newest | ({*pinned, *in_use} & remote.versions.keys())


def plan(
    seen: Mapping[Version, Seen],
    remote: Shelf,
    local: Mapping[Version, Files],
    wanted: Collection[Version],
    refused: Mapping[Version, Files],
    now: float,
    settle_seconds: float,
) -> Plan:
    """`seen` is of `now`; `local` is what the mirror shows, `refused` what was fetched and was no model.

    Whatever was refused is left alone until the store lists other files under its name.
    """
    ranks = _ranks(remote)
    missing = [
        version
        for version in sorted(wanted, key=lambda version: (ranks[version], version))
        if remote.versions[version] not in (local.get(version), refused.get(version))
    ]
    settling = [version for version in missing if not _has_settled(seen[version], now, settle_seconds)]
    gone = [v for v in local if seen[v].files is None and now - seen[v].since >= GONE_SECONDS]
    unwanted = [version for version in local if version in remote.versions and version not in wanted]
    return Plan([version for version in missing if version not in settling], settling, sorted({*gone, *unwanted}))


def _has_settled(seen: Seen, now: float, settle_seconds: float) -> bool:
    """A card says by itself which files have to be there; without one, they are all once no more come."""
    return seen.files is not None and (CARD_PATH.as_posix() in seen.files or now - seen.since >= settle_seconds)


def _ranks(remote: Shelf) -> Mapping[Version, int]:
    """How many versions of its model are newer, of each."""
    newest_first = sorted(remote.versions, key=lambda version: (version.model, -version.number))
    models = groupby(newest_first, lambda version: version.model)
    return {version: rank for _, versions in models for rank, version in enumerate(versions)}
