"""Large pictures that take every decoding thread: small ones are answered, and more large ones are refused."""

import threading

import grpc
import numpy as np
import pytest

from protos import classification_pb2 as pb
from serving.pipeline import picture
from tests.faults.asking import is_right, statuses
from tests.faults.books import Books
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING, asked
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.loops import eventually
from tests.serving.picture_files import file_of
from tests.serving.running import Running

SIDE = 200
# Of the room one model has what it leaves free: a fourth picture would be more.
TWO_THAT_WAIT = {"decoding_threads": 1, "max_decoding_pixels": 6 * SIDE * SIDE}


class HeldDecoding:
    """Decodes large pictures once the test lets it, and counts those that it began with."""

    def __init__(self, monkeypatch) -> None:
        self.begun = 0
        self._decode = picture.decode
        self._open = threading.Event()
        monkeypatch.setattr(picture, "decode", self._held)

    def let_go(self) -> None:
        self._open.set()

    def _held(self, image):
        if image.width == SIDE:
            self.begun += 1
            assert self._open.wait(PATIENCE), "the test never let the decoding go on"
        return self._decode(image)


@pytest.fixture
def decoding(monkeypatch) -> HeldDecoding:
    return HeldDecoding(monkeypatch)


def large(server: Running, level: int) -> grpc.Future:
    encoded = file_of(np.full((SIDE, SIDE), level, np.uint8))
    request = pb.ClassifyRequest(model=pb.ModelSpec(name="shades"), encoded=encoded)
    return server.stub.Classify.future(request, timeout=PATIENCE)


def all_threads_taken(server: Running, decoding: HeldDecoding) -> list[grpc.Future]:
    """Calls about large pictures: the first is being decoded, two wait, and one was refused."""
    calls = [large(server, DARK)]
    eventually(lambda: decoding.begun == 1)
    calls += [large(server, BRIGHT) for _ in range(3)]
    eventually(lambda: Books(server).calls(status="RESOURCE_EXHAUSTED") == 1)
    return calls


def test_small_pictures_are_answered_while_large_ones_take_every_decoding_thread(unharmed, decoding):
    with unharmed(settings=TWO_THAT_WAIT, shades=FreeEngine(), tones=FreeEngine()) as server:
        calls = all_threads_taken(server, decoding)
        assert is_right(server.classify(asked(MIDDLING, "tones")), MIDDLING)
        assert is_right(server.classify(asked(MIDDLING, "shades")), MIDDLING)
        decoding.let_go()
        assert sorted(status.name for status in statuses(calls)) == ["OK", "OK", "OK", "RESOURCE_EXHAUSTED"]
        assert is_right(calls[0].result(), DARK)
        assert all(is_right(call.result(), BRIGHT) for call in calls[1:] if call.code() == grpc.StatusCode.OK)


def test_large_pictures_of_callers_who_have_gone_are_not_decoded_and_make_room(unharmed, decoding):
    with unharmed(settings=TWO_THAT_WAIT, shades=FreeEngine()) as server:
        first, *others = all_threads_taken(server, decoding)
        for call in others:
            call.cancel()
        eventually(lambda: Books(server).calls(status="CANCELLED") == 2)
        latecomer = large(server, MIDDLING)
        decoding.let_go()
        assert is_right(first.result(), DARK)
        assert is_right(latecomer.result(), MIDDLING)
        assert decoding.begun == 2
