"""Rounds over a store while a server runs: outages are told once, and a store that hangs stops nothing."""

import asyncio
import logging
import threading

import pytest

from serving.errors import StoreFailed
from serving.metrics import Metrics
from serving.models.stores import store as stores
from serving.models.stores.follower import Round
from serving.models.stores.keeper import Keeper
from serving.models.stores.shelf import Version
from tests.serving.fakes import PATIENCE, fake_servable
from tests.serving.loops import on_a_loop
from tests.serving.models.stores.shops import Shop, version_of

OUT = StoreFailed("A store is there to be listed; this one is out.")


class Script:
    """A store's answers, one a round: what came of it, or what it raises."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.in_use: list[set[Version]] = []

    def __call__(self, in_use):
        self.in_use.append(set(in_use))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def keeper(shop, metrics):
    """Makes a keeper whose rounds are given."""

    def make(follow, patience=PATIENCE):
        return Keeper(shop.store, shop.mirror.models, follow, metrics.store_observer(shop.address), patience)

    return make


def done(**fields):
    return Round(
        **{
            "fetched": [],
            "hidden": [],
            "waiting": {},
            "refused": {},
            "unread": {},
            "unread_labels": {},
            "strays": frozenset(),
            **fields,
        }
    )


def lines(caplog, level):
    return [record.getMessage() for record in caplog.records if record.levelno == level]


@on_a_loop
async def test_what_is_in_the_store_is_mirrored_and_counted(shop, keeper, metrics):
    shop.put("shades/1", version_of())
    kept = keeper(shop.follower.follow)
    await kept.sync()
    sample = metrics.registry.get_sample_value
    assert (kept.models / "shades" / "1" / "saved_model.pb").read_bytes() == b"graph"
    assert sample("tencrop_store_up", {"store": shop.address}) == 1
    assert sample("tencrop_store_fetched_bytes_total", {"store": shop.address}) == shop.store.bytes_read > 0


@on_a_loop
async def test_an_outage_is_told_once_and_its_end_too(keeper, metrics, shop, caplog):
    caplog.set_level(logging.INFO)
    kept = keeper(Script(OUT, OUT, done(), OUT))
    up = []
    for _ in range(4):
        await kept.sync()
        up.append((metrics.registry.get_sample_value("tencrop_store_up", {"store": shop.address}), bool(kept.failure)))
    assert up == [(0, True), (0, True), (1, False), (0, True)]
    assert len(lines(caplog, logging.ERROR)) == 2
    assert all("this one is out" in line for line in lines(caplog, logging.ERROR))
    assert [line for line in lines(caplog, logging.INFO) if "answers again" in line] != []


@on_a_loop
async def test_a_round_that_fails_as_none_should_is_told_with_its_trace_and_the_next_is_tried(keeper, caplog):
    kept = keeper(Script(ZeroDivisionError("a mistake of ours"), done()))
    await kept.sync()
    assert "ZeroDivisionError" in kept.failure
    assert any(record.exc_info for record in caplog.records)
    await kept.sync()
    assert kept.failure == ""


@on_a_loop
async def test_a_version_that_is_refused_is_told_once_and_for_as_long_as_it_is(keeper, metrics, shop, caplog):
    shades = Version("shades", 1)
    kept = keeper(Script(*[done(refused={shades: "no model"})] * 2, done(fetched=[shades])))
    for _ in range(2):
        await kept.sync()
        assert kept.troubles == {shades: "no model"}
    assert metrics.registry.get_sample_value("tencrop_store_refused_versions", {"store": shop.address}) == 1
    assert lines(caplog, logging.ERROR) == ["shades version 1 is not mirrored: no model"]
    await kept.sync()
    assert kept.troubles == {}


@on_a_loop
async def test_a_store_that_hangs_is_an_outage_and_no_second_round_is_begun(keeper):
    go_on, begun = threading.Event(), []

    def hang(_):
        begun.append(1)
        assert go_on.wait(PATIENCE)
        return done()

    kept = keeper(hang, patience=0.01)
    for _ in range(2):
        await kept.sync()
        assert "nothing has" in kept.failure
    assert len(begun) == 1
    go_on.set()
    while kept.failure:
        await kept.sync()


@on_a_loop
async def test_a_round_that_is_long_but_moves_on_is_no_outage(shop, metrics):
    go_on = threading.Event()

    class Moving:
        """A store from which something more has come whenever one looks."""

        address, looks = shop.address, 0

        @property
        def bytes_read(self):
            self.looks += 1
            if self.looks > 10:
                go_on.set()
            return self.looks

    kept = Keeper(
        Moving(),
        shop.mirror.models,
        lambda _: done() if go_on.wait(PATIENCE) else None,
        metrics.store_observer(shop.address),
        patience=0.001,
    )
    await kept.sync()
    assert (kept.failure, go_on.is_set()) == ("", True)


@on_a_loop
async def test_rounds_go_on_by_themselves_and_know_what_is_in_use(keeper):
    class Loaded:
        servables = (fake_servable("shades", 3),)

    script = Script(OUT, *[done()] * 3)
    running = asyncio.create_task(keeper(script).run(0.0, Loaded()))
    while len(script.answers):
        await asyncio.sleep(0)
    running.cancel()
    assert script.in_use[:2] == [{Version("shades", 3)}] * 2


def test_a_scheme_that_nothing_reads_is_refused_with_the_way_out():
    with pytest.raises(StoreFailed, match=r"nosuch://bucket/x need a library.*tencrop\[stores\]"):
        stores.Store("nosuch://bucket/x")
