"""What stands in models/NAME, and how a version gets there: whole, in one step, under the next number."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from google.protobuf import json_format

from serving.models import card as cards
from serving.models.lifecycle.versions import version_of
from training.durable import alone_in, fsync, fsync_tree
from training.recipes.recipe import Recipe

_STAGING = ".publishing-"


def publish(directory: Path, fill: Callable[[Path], None]) -> Path:
    """A new version in `directory` (models/NAME) with what `fill` writes into the empty directory it is given.

    A reader sees the version whole or not at all, after a kill or a power cut too. Publishers of
    one name take turns; what a killed one left is removed. Whatever `fill` raises is passed on,
    and nothing is published.
    """
    with alone_in(directory, wait=True):
        for leftover in directory.glob(f"{_STAGING}*"):  # of the dead: the living wait outside
            shutil.rmtree(leftover)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=directory))
        try:
            fill(staging)
            staging.chmod(0o755)  # mkdtemp's is for its owner alone
            fsync_tree(staging)
            return _take_number(staging, directory)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise


def newest_version(directory: Path) -> Path | None:
    """The newest version in `directory` (models/NAME), or None where there is none."""
    newest = max((version_of(path.name) or 0 for path in directory.glob("*")), default=0)
    return directory / str(newest) if newest else None


def stands(directory: Path, recipe: Recipe, seed: int) -> bool:
    """Whether the newest version in `directory` was trained by `recipe` from `seed`."""
    newest = newest_version(directory)
    if newest is None:
        return False
    provenance = cards.read(newest).provenance
    return json_format.MessageToDict(provenance.recipe) == recipe.as_dict() and provenance.seed == seed


def _take_number(staging: Path, directory: Path) -> Path:
    """Renames `staging` to the next version, past any that was copied in by hand meanwhile."""
    while True:
        newest = newest_version(directory)
        version = directory / str(int(newest.name) + 1 if newest else 1)
        try:
            os.rename(staging, version)
        except OSError:
            if not version.exists():
                raise
            continue
        fsync(directory)
        fsync(directory.parent)
        return version
