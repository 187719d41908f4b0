"""The straight line from request to answer: what members share, where decoding runs, and whose time is whose."""

import asyncio
import gc
import threading
import weakref

import numpy as np
import pytest

from protos import classification_pb2 as pb
from serving.errors import Overloaded
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble, Member
from serving.models.repository import Repository
from serving.pipeline import picture, preparation, views
from serving.pipeline.answer import Answer
from serving.pipeline.classifier import Classifier
from serving.pipeline.room import Bounds, Room
from tests.serving.fakes import FakeClock, FreeEngine, HeldEngine, fake_servable
from tests.serving.loops import on_a_loop
from tests.serving.picture_files import file_of, noise

SMALL, LARGE = file_of(noise(8, 8, channels=None)), file_of(noise(200, 200, channels=None))


BOX = pb.Box(top=0, left=0, bottom=1, right=1)


class Scene:
    """A classifier over an ensemble of numpy models; the last looks at pictures in its own way."""

    def __init__(self, members: str = "abc", engine: HeldEngine | None = None, bounds: Bounds = Bounds()) -> None:  # noqa: B008
        self.engines = [engine or FreeEngine() for _ in members]
        self.clock = FakeClock()
        servables = [
            fake_servable(name, engine=engine, clock=self.clock)
            for name, engine in zip(members, self.engines, strict=True)
        ]
        servables[-1].card.geometry.margin = 2
        servables[-1].look = b"its own"
        ensemble = Ensemble("choir", tuple(map(Member, servables)), pb.VOTE_MEAN_PROBABILITY)
        self._servables = servables
        repository = Repository({}, {"choir": ensemble})
        self._classifier = Classifier(repository, picture.Limits(), Metrics(), self.clock, 1, bounds)

    async def classify(self, encoded: bytes, **fields) -> Answer:
        answer = await self.asked(encoded, **fields)
        self._classifier.close()
        for servable in self._servables:
            await servable.close()
        return answer

    def expect(self, seconds: float) -> None:
        """Every member takes so long for a row."""
        for servable in self._servables:
            servable._queue.expect({1: seconds})

    async def asked(self, encoded: bytes, deadline: float = np.inf, **fields) -> Answer:
        return await self._classifier.classify(pb.ClassifyRequest(encoded=encoded, **fields), deadline)


def counted(monkeypatch, module, name):
    """A list that gets the name of the thread of every call of a function, which still does its work."""
    calls, function = [], getattr(module, name)

    def count(*args):
        calls.append(threading.current_thread().name)
        return function(*args)

    monkeypatch.setattr(module, name, count)
    return calls


@on_a_loop
async def test_a_picture_is_decoded_once_for_all_members(monkeypatch):
    decoded = counted(monkeypatch, picture, "decode")
    await Scene().classify(SMALL)
    assert len(decoded) == 1


@on_a_loop
async def test_members_that_look_at_pictures_the_same_way_share_their_views(monkeypatch):
    cut = counted(monkeypatch, views, "cut")
    scene = Scene()
    await scene.classify(SMALL, views=pb.VIEWS_TEN)
    assert len(cut) == 2
    first, second, third = (engine.batches[0][:10] for engine in scene.engines)
    np.testing.assert_array_equal(first, second)
    assert (first != third).any()


@pytest.mark.parametrize(("encoded", "thread"), [(SMALL, "MainThread"), (LARGE, "decode_0")])
@on_a_loop
async def test_only_a_large_picture_is_decoded_in_another_thread(monkeypatch, encoded, thread):
    threads = counted(monkeypatch, picture, "decode")
    await Scene().classify(encoded)
    assert threads == [thread]


@on_a_loop
async def test_the_time_of_decoding_and_computing_is_told_apart(monkeypatch):
    scene = Scene("a")
    decode = picture.decode

    def slowly(image):
        scene.clock.advance(3)
        return decode(image)

    def think(rows):
        scene.clock.advance(5)
        return np.zeros((len(rows), 3), np.float32)

    monkeypatch.setattr(picture, "decode", slowly)
    scene.engines[0].score = think
    answer = await scene.classify(SMALL)
    assert (answer.seconds.decode, answer.seconds.compute) == (3, 5)


@on_a_loop
async def test_the_event_loop_goes_on_while_a_large_picture_is_decoded(monkeypatch):
    loop_ran = threading.Event()

    def wait_for_loop(image):
        assert loop_ran.wait(10), "the event loop stood still"
        return image

    monkeypatch.setattr(picture, "decode", wait_for_loop)
    call = asyncio.create_task(Scene().classify(LARGE))
    await asyncio.sleep(0)
    loop_ran.set()
    await call


@on_a_loop
async def test_a_decoded_picture_is_let_go_while_its_rows_wait(monkeypatch):
    opened, open_header = [], picture.open_header

    def watch(encoded, limits):
        image = open_header(encoded, limits)
        opened.append(weakref.ref(image))
        return image

    monkeypatch.setattr(picture, "open_header", watch)
    engine = HeldEngine()
    scene = Scene("a", engine=engine)
    waiting = asyncio.ensure_future(scene.classify(LARGE))
    while not engine.batches:
        await asyncio.sleep(0)
    gc.collect()
    assert [image() for image in opened] == [None]
    engine.let_go()
    await waiting


@on_a_loop
async def test_many_views_of_a_small_picture_are_cut_in_another_thread(monkeypatch):
    threads = counted(monkeypatch, views, "cut")
    monkeypatch.setattr(preparation, "_INLINE_WORK", 4 * 8 * 8 + 2 * 10 * 8 * 8 - 1)  # two looks, ten rows each
    await Scene().classify(SMALL, views=pb.VIEWS_TEN)
    assert threads == ["decode_0", "decode_0"]


@on_a_loop
async def test_a_large_picture_takes_its_pixels_and_a_request_its_bytes_and_those_of_its_rows(monkeypatch):
    taken = []
    monkeypatch.setattr(Room, "take", lambda room, model, amount: taken.append((model, amount)))
    await Scene().classify(LARGE)
    two_looks = 2 * 8 * 8
    assert taken == [("choir", pb.ClassifyRequest(encoded=LARGE).ByteSize() + two_looks), ("choir", 200 * 200)]


@on_a_loop
async def test_a_request_holds_its_bytes_until_it_is_answered():
    engine = HeldEngine()
    scene = Scene("a", engine=engine, bounds=Bounds(bytes=3 * len(SMALL)))
    waiting = asyncio.ensure_future(scene.classify(SMALL))
    while not engine.batches:
        await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="bytes of pictures, rows and tensors"):
        await scene.classify(SMALL)
    engine.let_go()
    await waiting


@pytest.mark.parametrize(("fields", "width"), [({}, 24), ({"views": pb.VIEWS_BOXES, "boxes": [BOX]}, 192)])
@on_a_loop
async def test_a_jpeg_is_decoded_no_larger_than_its_canvases_need_but_for_boxes(monkeypatch, fields, width):
    widths, decode = [], picture.decode

    def watch(image):
        widths.append(decode(image).width)
        return decode(image)

    monkeypatch.setattr(picture, "decode", watch)
    await Scene().classify(file_of(noise(192, 192), "JPEG"), **fields)
    assert widths == [width]


@on_a_loop
async def test_a_picture_that_would_be_late_is_not_decoded(monkeypatch):
    engine = HeldEngine()
    scene = Scene("a", engine=engine)
    scene.expect(1.0)
    waiting = asyncio.ensure_future(scene.classify(SMALL))
    while not engine.batches:
        await asyncio.sleep(0)
    decoded = counted(monkeypatch, picture, "decode")
    with pytest.raises(Overloaded):
        await scene.asked(SMALL, deadline=scene.clock() + 1.5)
    assert not decoded
    engine.let_go()
    await waiting
