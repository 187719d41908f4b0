"""Who is at work with a version is waited for."""

import asyncio

import pytest

from protos.classification_pb2 import ModelSpec
from serving.errors import NotServed
from serving.models.catalogue import ServedModel
from serving.models.holds import Holds
from serving.models.repository import Repository
from tests.serving.fakes import fake_servable
from tests.serving.loops import on_a_loop


def has_ended(holds: Holds) -> asyncio.Task:
    return asyncio.create_task(holds.ended())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@on_a_loop
async def test_nobody_is_not_waited_for():
    await Holds().ended()


@on_a_loop
async def test_the_last_of_several_is_waited_for():
    holds = Holds()
    holds.take()
    holds.take()
    ended = has_ended(holds)
    holds.leave()
    await turns()
    assert not ended.done()
    holds.leave()
    await ended


class CallFailed(Exception):
    """A call that ends badly."""


@on_a_loop
async def test_a_version_is_held_for_as_long_as_a_call_asks_it_however_that_ends():
    servable = fake_servable("shades")
    repository = Repository({"shades": ServedModel("shades", {1: servable})}, {})
    goes_on = asyncio.Event()

    async def call() -> None:
        with repository.hold(ModelSpec(name="shades")):
            await goes_on.wait()
            raise CallFailed

    calling = asyncio.create_task(call())
    await turns()
    ended = has_ended(servable.holds)
    await turns()
    assert not ended.done()
    goes_on.set()
    await ended
    with pytest.raises(CallFailed):
        await calling


def test_who_asks_for_what_is_not_served_holds_nothing():
    servable = fake_servable("shades")
    repository = Repository({"shades": ServedModel("shades", {1: servable})}, {})
    with pytest.raises(NotServed), repository.hold(ModelSpec(name="shades", version=2)):
        pass
    asyncio.run(servable.holds.ended())
