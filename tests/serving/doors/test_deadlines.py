"""A caller's deadline, on a clock that the test moves."""

import asyncio

import grpc
import pytest

from serving.doors.answering import Answering
from serving.doors.classification import ClassificationDoor
from serving.doors.drain import Drain
from serving.metrics import Metrics
from serving.models.catalogue import ServedModel
from serving.models.repository import Repository
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of, levels_in
from tests.serving.fakes import FakeClock, HeldEngine, fake_servable
from tests.serving.loops import on_a_loop


class Aborted(Exception):
    """What abort raises, as gRPC's does."""


class Context:
    """A call's context: how long its caller will wait, and how it was ended."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds

    def time_remaining(self) -> float | None:
        return self._seconds

    async def abort(self, code, details, trailing_metadata):
        raise Aborted(code, details)


class Scene:
    """A door over one held engine, whose first batch is running already."""

    def __init__(self) -> None:
        self.clock, self.engine, self.metrics = FakeClock(), HeldEngine(), Metrics()
        self.servable = fake_servable("shades", engine=self.engine, clock=self.clock)
        repository = Repository({"shades": ServedModel("shades", {1: self.servable})}, {})
        classifier = Classifier(repository, Limits(), self.metrics, self.clock, decoding_threads=1)
        answering = Answering(classifier, repository, self.metrics, self.clock)
        self.door = ClassificationDoor(answering, repository, self.clock, stream_window=4, drain=Drain())

    async def ask(self, level: int, seconds: float | None) -> asyncio.Task:
        call = asyncio.create_task(self.door.Classify(asked(level), Context(seconds)))
        for _ in range(20):
            await asyncio.sleep(0)
        return call


@on_a_loop
async def test_a_caller_whose_deadline_passes_in_the_queue_gets_deadline_exceeded_and_is_not_computed():
    scene = Scene()
    first = await scene.ask(DARK, seconds=None)
    late, patient = await scene.ask(BRIGHT, seconds=5), await scene.ask(BRIGHT, seconds=6)
    scene.clock.advance(5)
    scene.engine.let_go()
    assert (await first).predictions[0].label == label_of(DARK)
    with pytest.raises(Aborted) as aborted:
        await late
    assert aborted.value.args[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    assert (await patient).predictions[0].label == label_of(BRIGHT)
    assert levels_in(scene.engine.batches) == [[DARK], [BRIGHT]]
    await scene.servable.close()


@on_a_loop
async def test_a_caller_without_a_deadline_waits_as_long_as_it_takes():
    scene = Scene()
    first, patient = await scene.ask(DARK, seconds=None), await scene.ask(BRIGHT, seconds=None)
    scene.clock.advance(1e9)
    scene.engine.let_go()
    await first
    assert (await patient).predictions[0].label == label_of(BRIGHT)
    await scene.servable.close()
