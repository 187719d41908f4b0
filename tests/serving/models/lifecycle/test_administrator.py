"""An administrator's orders are carried out, or nothing changes; and they hold over a restart."""

import logging
from contextlib import asynccontextmanager

import pytest

from protos.classification_pb2 import ModelSpec
from serving.errors import InvalidRequest, ModelRejected, NotServed
from serving.models.lifecycle.administrator import Administrator
from serving.models.lifecycle.orders import ORDERS
from serving.models.lifecycle.roll_backs import RollBacks
from serving.models.lifecycle.states import State
from tests.serving.loops import on_a_loop
from tests.serving.models.disk import Disk


@pytest.fixture
def disk(tmp_path):
    """Shades 1, 2 and 3, of which the newest is served."""
    disk = Disk(tmp_path)
    disk.add("shades", 1, 2, 3)
    return disk


@asynccontextmanager
async def administered(disk):
    """An administrator of a server that has started."""
    manager = disk.manager()
    try:
        await manager.start()
        yield Administrator(manager)
    finally:
        await manager.close()


def answers(administrator, label=None) -> int:
    spec = ModelSpec(name="shades", version_label=label)
    return administrator._manager.repository.find(spec).members[0].servable.version


def available(administrator) -> set[int]:
    return set(administrator._manager.repository.models["shades"].servables)


@on_a_loop
async def test_a_promotion_moves_production_and_a_rollback_moves_it_back(disk):
    async with administered(disk) as administrator:
        await administrator.promote("shades", 1)
        assert answers(administrator, "production") == 1
        await administrator.promote("shades", 2)
        assert answers(administrator, "production") == 2
        await administrator.roll_back("shades")
        assert answers(administrator, "production") == 1


@on_a_loop
async def test_labels_that_were_set_hold_over_a_restart(disk):
    async with administered(disk) as administrator:
        await administrator.set_label("shades", "canary", 2)
    async with administered(disk) as administrator:
        assert answers(administrator, "canary") == 2


@on_a_loop
async def test_a_label_that_is_set_goes_before_that_of_models_yaml_until_it_is_removed(disk):
    disk.declare("labels: {shades: {production: 1}}")
    async with administered(disk) as administrator:
        await administrator.set_label("shades", "production", 2)
        assert answers(administrator, "production") == 2
        await administrator.remove_label("shades", "production")
        assert answers(administrator, "production") == 1


@pytest.mark.parametrize("order", ["load", "promote", "set_label", "roll_back"])
@on_a_loop
async def test_an_order_that_cannot_be_carried_out_changes_nothing_and_says_why(disk, order):
    async with administered(disk) as administrator:
        await administrator.promote("shades", 2)
        await administrator.promote("shades", 1)
        kept = (disk.root / ORDERS).read_bytes()
        disk.broken.add(("shades", 2))
        arguments = {"load": (2,), "promote": (2,), "set_label": ("canary", 2), "roll_back": ()}[order]
        with pytest.raises(ModelRejected, match=r"cannot be loaded, and all is as it was: shades 2 is broken"):
            await getattr(administrator, order)("shades", *arguments)
        assert (disk.root / ORDERS).read_bytes() == kept
        assert answers(administrator, "production") == 1


@on_a_loop
async def test_what_failed_is_tried_again_when_it_is_ordered(disk):
    disk.broken.add(("shades", 3))
    async with administered(disk) as administrator:
        assert answers(administrator) == 2
        disk.broken.clear()
        await administrator.load("shades")
        assert answers(administrator) == 3


@on_a_loop
async def test_a_version_that_is_loaded_stays_beside_the_newest_until_it_is_unloaded(disk):
    async with administered(disk) as administrator:
        await administrator.load("shades", 1)
        assert available(administrator) == {1, 3}
        await administrator.unload("shades", 1)
        assert available(administrator) == {3}


@on_a_loop
async def test_a_newest_version_that_is_unloaded_gives_way_to_the_one_before_it(disk):
    async with administered(disk) as administrator:
        await administrator.unload("shades", 3)
        assert answers(administrator) == 2


@on_a_loop
async def test_a_model_is_unloaded_whole_and_loaded_again(disk):
    disk.add("tones", 1)
    async with administered(disk) as administrator:
        await administrator.unload("shades")
        assert administrator._manager.repository.names == ["tones"]
        states = {each.state for each in administrator._manager.repository.status("shades")}
        assert states <= {State.END, State.UNLOADING}
        await administrator.load("shades")
        assert answers(administrator) == 3


@pytest.mark.parametrize(
    ("declared", "version"),
    [
        ("labels: {shades: {production: 1}}", 1),
        ("ensembles: {choir: {members: [{model: shades, version: 1}]}}", 1),
        ("ensembles: {choir: {members: [{model: shades}]}}", None),
    ],
)
@on_a_loop
async def test_what_a_label_or_an_ensemble_needs_is_not_unloaded(disk, declared, version):
    disk.declare(declared)
    async with administered(disk) as administrator:
        with pytest.raises(InvalidRequest, match=r"is by (label production|ensemble choir)"):
            await administrator.unload("shades", version)


@pytest.mark.parametrize(("name", "version"), [("shades", 7), ("tones", 1), ("shades", 0), ("shades", -1)])
@on_a_loop
async def test_an_order_about_what_is_not_on_disk_is_refused(disk, name, version):
    async with administered(disk) as administrator:
        for order in (administrator.load, administrator.unload, administrator.promote):
            with pytest.raises(NotServed, match="A version has to lie in"):
                await order(name, version)


@on_a_loop
async def test_where_orders_cannot_be_kept_they_are_refused(disk, monkeypatch):
    async with administered(disk) as administrator:

        def read_only(*_):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr("serving.models.lifecycle.administrator.write_orders", read_only)
        with pytest.raises(ModelRejected, match="Read-only file system"):
            await administrator.promote("shades", 1)
        assert available(administrator) == {3}


CANARY = "models: {shades: {canary: {version: 3, percent: 100}}}"


def canary_of(administrator):
    repository = administrator._manager.repository
    return repository.trials.canary_of(repository.models["shades"])


async def fail(administrator) -> None:
    """The canary fails for as long as it takes to be rolled back, and that is written down."""
    trials, roll_backs = administrator._manager.repository.trials, RollBacks(administrator)
    trials.keep_by(roll_backs.keep)
    canary = canary_of(administrator)
    for _ in range(3):
        canary.canary.add(wrong=True)
        trials.judge(canary)
    assert canary.rolled_back
    await roll_backs.written()


@on_a_loop
async def test_a_canary_that_was_rolled_back_stays_so_over_a_restart(disk):
    disk.add("shades", 4)
    disk.declare(CANARY)
    async with administered(disk) as administrator:
        assert not canary_of(administrator).rolled_back
        await fail(administrator)
    async with administered(disk) as administrator:
        assert "3 of 3 failed" in canary_of(administrator).rolled_back


@on_a_loop
async def test_a_canary_is_tried_again_once_an_administrator_loads_its_version(disk):
    disk.add("shades", 4)
    disk.declare(CANARY)
    async with administered(disk) as administrator:
        await fail(administrator)
        await administrator.load("shades", 4)
        assert canary_of(administrator).rolled_back
        await administrator.load("shades", 3)
        assert not canary_of(administrator).rolled_back
    async with administered(disk) as administrator:
        assert not canary_of(administrator).rolled_back


@on_a_loop
async def test_a_roll_back_that_cannot_be_written_holds_until_the_server_stops_and_the_log_says_so(
    disk, monkeypatch, caplog
):
    disk.add("shades", 4)
    disk.declare(CANARY)

    def read_only(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("serving.models.lifecycle.administrator.write_orders", read_only)
    async with administered(disk) as administrator:
        with caplog.at_level(logging.WARNING):
            await fail(administrator)
        await administrator._manager.look()
        assert canary_of(administrator).rolled_back
    assert "until this server stops, and no longer" in caplog.text
    assert "Read-only file system" in caplog.text
