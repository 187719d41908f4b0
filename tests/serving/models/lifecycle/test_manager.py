"""What is served follows what lies in the directory, and never goes missing on the way."""

import asyncio
import gc
import math
import threading
import weakref
from contextlib import asynccontextmanager

import numpy as np
import pytest

from protos.classification_pb2 import ModelSpec
from serving.errors import ModelRejected, NotServed
from serving.models.lifecycle.states import State
from tests.serving.fakes import PATIENCE
from tests.serving.loops import on_a_loop
from tests.serving.models.disk import BYTES, Disk

ANY = ModelSpec(name="shades")
PRODUCTION = ModelSpec(name="shades", version_label="production")


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


@asynccontextmanager
async def managed(disk, **options):
    """A manager of `disk` that has started, and is closed in the end."""
    manager = disk.manager(**options)
    try:
        await manager.start()
        yield manager
    finally:
        await manager.close()


async def catch_up(manager) -> None:
    """Looks, and does what is to be done."""
    await manager.look()
    await manager.settled()


def answers(manager, spec=ANY) -> int:
    """The version that answers `spec`."""
    return manager.repository.find(spec).members[0].servable.version


def members(manager, name) -> list[tuple[str, int]]:
    found = manager.repository.find(ModelSpec(name=name)).members
    return [(each.servable.name, each.servable.version) for each in found]


def states(manager, name="shades") -> dict[int, State]:
    return {each.version: each.state for each in manager.repository.status(name)}


async def unloaded(manager, *versions, name="shades") -> None:
    """Returns once these versions have gone."""
    while any(states(manager, name).get(version, State.END) != State.END for version in versions):
        await asyncio.sleep(0)


class HeldLoading:
    """Versions load when the test lets them."""

    def __init__(self, disk: Disk) -> None:
        self._load, self._open = disk.load_version, threading.Semaphore(0)
        disk.load_version = self._held

    def _held(self, directory, declared):
        assert self._open.acquire(timeout=PATIENCE), "the test never let it load"
        return self._load(directory, declared)

    def let_one_go(self) -> None:
        self._open.release()


@on_a_loop
async def test_a_new_version_takes_over_once_it_is_ready_and_the_old_one_unloads(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        loading = HeldLoading(disk)
        disk.add("shades", 2)
        await manager.look()
        await asyncio.sleep(0)
        assert (answers(manager), states(manager)) == (1, {1: State.AVAILABLE, 2: State.LOADING})
        loading.let_one_go()
        await manager.settled()
        assert answers(manager) == 2
        await unloaded(manager, 1)
        assert states(manager) == {2: State.AVAILABLE, 1: State.END}


@on_a_loop
async def test_a_version_of_which_not_all_has_come_is_waited_for_and_its_status_says_for_what(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        (disk.root / "shades" / "2").mkdir()
        await catch_up(manager)
        assert manager.repository.status("shades")[0] == (2, State.START, "saved_model.pb is not there yet")
        disk.repair("shades", 2)
        await catch_up(manager)
        assert ("shades", 2) not in disk.loaded
        (disk.root / "shades" / "2" / "saved_model.pb").touch()
        await catch_up(manager)
        assert answers(manager) == 2


@on_a_loop
async def test_at_the_start_nothing_is_loaded_of_a_version_without_a_card_that_is_not_whole(disk, caplog):
    disk.add("shades", 1)
    disk.add("tones", 1)
    (disk.root / "shades" / "1" / "saved_model.pb").unlink()
    async with managed(disk) as manager:
        assert disk.loaded == [("tones", 1)]
        assert manager.repository.status("shades") == [(1, State.START, "saved_model.pb is not there yet")]
    disk.remove("tones")
    with pytest.raises(ModelRejected, match=r"none in .* could be loaded"):
        await disk.manager().start()
    assert "shades is waited for, version by version: {1: 'saved_model.pb is not there yet'}" in caplog.text


@on_a_loop
async def test_a_call_keeps_the_version_that_it_asks_until_it_ends(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        with manager.repository.hold(ANY) as ensemble:
            disk.add("shades", 2)
            await catch_up(manager)
            assert (answers(manager), states(manager)[1]) == (2, State.UNLOADING)
            scored = await ensemble.members[0].servable.submit(np.zeros((1, 8, 8, 1), np.uint8), math.inf)
            assert len(scored.logits) == 1
        await unloaded(manager, 1)


@on_a_loop
async def test_a_bad_version_leaves_the_good_one_serving_and_says_why_and_is_not_tried_again(disk, caplog):
    disk.add("shades", 1)
    disk.broken.add(("shades", 2))
    async with managed(disk) as manager:
        disk.add("shades", 2)
        await catch_up(manager)
        await catch_up(manager)
        assert answers(manager) == 1
        assert manager.repository.status("shades") == [
            (2, State.END, "shades 2 is broken"),
            (1, State.AVAILABLE, ""),
        ]
        assert disk.loaded.count(("shades", 2)) == 1
        assert caplog.text.count("shades version 2 is not served: shades 2 is broken") == 1
        assert disk.sample("tencrop_model_failed", 2) == 1


@on_a_loop
async def test_a_bad_version_is_tried_again_when_its_files_have_changed(disk):
    disk.add("shades", 1)
    disk.broken.add(("shades", 2))
    async with managed(disk) as manager:
        disk.add("shades", 2)
        await catch_up(manager)
        disk.repair("shades", 2)
        await catch_up(manager)
        assert answers(manager) == 2
        assert disk.sample("tencrop_model_failed", 2) is None


@on_a_loop
async def test_a_bad_version_that_is_removed_is_forgotten(disk):
    disk.add("shades", 1)
    disk.broken.add(("shades", 2))
    async with managed(disk) as manager:
        disk.add("shades", 2)
        await catch_up(manager)
        disk.remove("shades", 2)
        await catch_up(manager)
        assert states(manager) == {1: State.AVAILABLE}
        assert disk.sample("tencrop_model_failed", 2) is None


@on_a_loop
async def test_models_come_and_go(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        disk.add("tones", 3)
        await catch_up(manager)
        assert manager.repository.names == ["shades", "tones"]
        disk.remove("tones")
        await catch_up(manager)
        with pytest.raises(NotServed):
            manager.repository.find(ModelSpec(name="tones"))
        await unloaded_whole(manager, "tones")


async def unloaded_whole(manager, name) -> None:
    while name in manager.repository.statuses:
        await asyncio.sleep(0)
        await manager.look()


@on_a_loop
async def test_a_newest_version_that_is_removed_gives_way_to_the_one_before_it(disk):
    disk.add("shades", 1, 2)
    async with managed(disk) as manager:
        disk.remove("shades", 2)
        await catch_up(manager)
        assert answers(manager) == 1


@on_a_loop
async def test_metrics_of_a_version_go_with_it(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        disk.metrics.queue_observer("shades", 1).batch_started(1, 0)
        disk.add("shades", 2)
        await catch_up(manager)
        await unloaded(manager, 1)
        assert 'version="1"' not in disk.metrics.exposition("")[0].decode()
        assert disk.sample("tencrop_model_loaded", 2) == 1


@pytest.mark.parametrize(
    ("policy", "ready"), [("all", {1, 2, 3}), ("{latest: 2}", {2, 3}), ("{specific: [1, 3]}", {1, 3})]
)
@on_a_loop
async def test_the_versions_that_are_declared_are_served(disk, policy, ready):
    disk.add("shades", 1, 2, 3)
    disk.declare(f"models: {{shades: {{versions: {policy}}}}}")
    async with managed(disk) as manager:
        assert set(manager.repository.models["shades"].servables) == ready


@on_a_loop
async def test_a_policy_is_followed_when_models_yaml_changes(disk):
    disk.add("shades", 1, 2)
    async with managed(disk) as manager:
        disk.declare("models: {shades: {versions: {specific: [1]}}}")
        await catch_up(manager)
        assert set(manager.repository.models["shades"].servables) == {1}


@on_a_loop
async def test_a_broken_models_yaml_changes_nothing_and_is_told_once(disk, caplog):
    disk.add("shades", 1, 2)
    disk.declare("labels: {shades: {production: 1}}")
    async with managed(disk) as manager:
        disk.declare("labels: [")
        await catch_up(manager)
        assert (answers(manager), answers(manager, PRODUCTION)) == (2, 1)
        assert caplog.text.count("is served as it was") == 1


@on_a_loop
async def test_a_directory_that_cannot_be_read_changes_nothing(disk, tmp_path, caplog):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        disk.root.rename(tmp_path.with_name("elsewhere"))
        await catch_up(manager)
        assert answers(manager) == 1
        assert caplog.text.count("is served as it was") == 1
        tmp_path.with_name("elsewhere").rename(disk.root)


@on_a_loop
async def test_a_version_that_is_declared_otherwise_is_loaded_again_beside_itself(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        before = manager.repository.find(ANY).members[0].servable
        disk.declare("models: {shades: {max_queue_rows: 12}}")
        await catch_up(manager)
        assert disk.loaded == [("shades", 1)] * 2
        assert disk.declared["shades"].max_queue_rows == 12
        assert manager.repository.find(ANY).members[0].servable is not before


@on_a_loop
async def test_a_label_moves_once_its_version_is_ready(disk):
    disk.add("shades", 1, 2, 3)
    disk.declare("labels: {shades: {production: 1}}")
    async with managed(disk) as manager:
        loading = HeldLoading(disk)
        disk.declare("labels: {shades: {production: 2}}")
        await manager.look()
        await asyncio.sleep(0)
        assert answers(manager, PRODUCTION) == 1
        loading.let_one_go()
        await manager.settled()
        assert (answers(manager, PRODUCTION), answers(manager)) == (2, 3)
        await unloaded(manager, 1)


@on_a_loop
async def test_a_label_of_a_version_that_is_bad_stays_where_it_was(disk):
    disk.add("shades", 1, 2, 3)
    disk.broken.add(("shades", 2))
    disk.declare("labels: {shades: {production: 1}}")
    async with managed(disk) as manager:
        disk.declare("labels: {shades: {production: 2}}")
        await catch_up(manager)
        assert answers(manager, PRODUCTION) == 1


@on_a_loop
async def test_an_ensemble_follows_its_members_and_keeps_the_versions_that_it_names(disk):
    disk.add("shades", 1)
    disk.add("tones", 1)
    disk.declare("ensembles: {choir: {members: [{model: shades}, {model: tones, version: 1}]}}")
    async with managed(disk) as manager:
        disk.add("shades", 2)
        disk.add("tones", 2)
        await catch_up(manager)
        assert members(manager, "choir") == [("shades", 2), ("tones", 1)]
        await unloaded(manager, 1)
        assert states(manager, "tones") == {1: State.AVAILABLE, 2: State.AVAILABLE}


@on_a_loop
async def test_an_ensemble_whose_members_change_labels_one_by_one_is_served_all_the_while(disk):
    disk.add("shades", 1)
    disk.add("tones", 1)
    disk.declare("ensembles: {choir: {members: [{model: shades}, {model: tones}]}}")
    async with managed(disk) as manager:
        disk.labels = {"shades": ("0", "1"), "tones": ("0", "1")}
        disk.add("shades", 2)
        await catch_up(manager)
        assert members(manager, "choir") == [("shades", 1), ("tones", 1)]
        disk.add("tones", 2)
        await catch_up(manager)
        assert members(manager, "choir") == [("shades", 2), ("tones", 2)]
        await unloaded(manager, 1)


@on_a_loop
async def test_an_ensemble_and_labels_may_be_declared_while_serving(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        disk.declare("{labels: {shades: {production: 1}}, ensembles: {choir: {members: [{model: shades}]}}}")
        await catch_up(manager)
        assert (members(manager, "choir"), answers(manager, PRODUCTION)) == ([("shades", 1)], 1)


@on_a_loop
async def test_what_does_not_fit_is_refused_with_the_numbers_and_the_old_version_goes_on(disk):
    disk.add("shades", 1)
    async with managed(disk, max_model_bytes=BYTES + 50) as manager:
        disk.add("shades", 2)
        await catch_up(manager)
        assert answers(manager) == 1
        (refused, _) = manager.repository.status("shades")
        assert "at most 150 bytes together; this one has 100, and the 1 that are loaded have 100" in refused.error


@on_a_loop
async def test_what_did_not_fit_is_loaded_once_there_is_room(disk):
    disk.add("shades", 1)
    disk.add("tones", 1)
    async with managed(disk, max_model_bytes=2 * BYTES) as manager:
        disk.add("greys", 1)
        await catch_up(manager)
        assert manager.repository.names == ["shades", "tones"]
        disk.remove("tones")
        await catch_up(manager)
        while manager.repository.names != ["greys", "shades"]:
            await asyncio.sleep(0)


@on_a_loop
async def test_with_resources_preserved_the_old_version_goes_before_the_new_one_is_loaded(disk):
    disk.add("shades", 1)
    disk.declare("models: {shades: {availability: resource_preserving}}")
    async with managed(disk, max_model_bytes=BYTES + 50) as manager:
        disk.add("shades", 2)
        await catch_up(manager)
        assert states(manager) == {2: State.AVAILABLE, 1: State.END}


@on_a_loop
async def test_with_resources_preserved_a_bad_version_gives_way_to_the_old_one(disk):
    disk.add("shades", 1)
    disk.broken.add(("shades", 2))
    disk.declare("models: {shades: {availability: resource_preserving}}")
    async with managed(disk) as manager:
        disk.add("shades", 2)
        await catch_up(manager)
        assert (answers(manager), states(manager)) == (1, {1: State.AVAILABLE, 2: State.END})


@on_a_loop
async def test_a_version_that_cannot_be_loaded_as_it_is_declared_now_is_served_as_it_was_and_says_why(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        disk.broken.add(("shades", 1))
        disk.declare("models: {shades: {max_queue_rows: 12}}")
        await catch_up(manager)
        assert manager.repository.status("shades") == [(1, State.AVAILABLE, "shades 1 is broken")]
        assert disk.sample("tencrop_model_failed", 1) == 1
        disk.declare("models: {shades: {max_queue_rows: 13}}")
        disk.broken.clear()
        await catch_up(manager)
        assert manager.repository.status("shades") == [(1, State.AVAILABLE, "")]
        assert disk.sample("tencrop_model_failed", 1) is None
        assert disk.sample("tencrop_model_loaded", 1) == 1


@on_a_loop
async def test_a_version_that_is_held_when_the_server_stops_is_among_those_to_be_closed(disk):
    disk.add("shades", 1)
    async with managed(disk) as manager:
        with manager.repository.hold(ANY):
            disk.add("shades", 2)
            await catch_up(manager)
            await manager.close()
            assert sorted(servable.version for servable in manager.servables) == [1, 2]


@on_a_loop
async def test_nothing_keeps_a_version_that_has_gone(disk):
    disk.add("shades", 1)
    disk.declare("ensembles: {choir: {members: [{model: shades}]}}")
    async with managed(disk) as manager:
        servable = weakref.ref(manager.repository.find(ANY).members[0].servable)
        disk.add("shades", 2)
        await catch_up(manager)
        await unloaded(manager, 1)
        while servable():
            await asyncio.sleep(0)
            gc.collect()
