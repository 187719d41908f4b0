"""Versions without a card are loaded whole or not at all."""

import asyncio
import shutil

import pytest

from serving.errors import ModelRejected
from serving.metrics import Metrics
from serving.settings import Settings
from serving.supply import manager_of
from tests.serving.doors import plain_models

FILES = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return plain_models.save(tmp_path_factory.mktemp("whole"), 1)


async def served(root) -> list[int]:
    """The versions that are served of the directory, as it is after it has settled."""
    manager = manager_of(Settings(models=root, settle_seconds=0), Metrics())
    try:
        repository = await manager.start()
        return [each.version for each in repository.servables]
    except ModelRejected:
        return []
    finally:
        await asyncio.gather(*(each.close() for each in manager.servables))
        await manager.close()


@pytest.mark.parametrize("last", FILES)
@pytest.mark.parametrize("share", [None, 0.0, 0.5, 0.99], ids=["missing", "empty", "half", "all but the end"])
def test_an_upload_that_stops_in_any_file_is_not_served(tmp_path, whole, last, share):
    version = tmp_path / plain_models.NAME / "1"
    shutil.copytree(whole, version)
    content = (version / last).read_bytes()
    (version / last).unlink()
    if share is not None:
        (version / last).write_bytes(content[: int(len(content) * share)])
    assert asyncio.run(served(tmp_path)) == []
    (version / last).write_bytes(content)
    assert asyncio.run(served(tmp_path)) == [1]
