"""Many calls at once, and how each ended."""

import grpc
import pytest

from protos import classification_pb2 as pb
from tests.serving.doors.fake_models import DARK, asked, probabilities_in, probabilities_of
from tests.serving.fakes import PATIENCE, HeldEngine
from tests.serving.running import Running


def occupied(server: Running, engine: HeldEngine) -> grpc.Future:
    """A call that the engine works on until it is let go. Hold it: gRPC cancels what nobody holds."""
    call = server.stub.Classify.future(asked(DARK), timeout=PATIENCE)
    engine.wait_until_busy()
    return call


def asked_all(server: Running, levels, timeout: float | None = PATIENCE) -> list[grpc.Future]:
    """A call about a picture of each level."""
    return [server.stub.Classify.future(asked(level), timeout=timeout) for level in levels]


def is_right(answer: pb.ClassifyResponse, level: int) -> bool:
    """Whether this is the answer to a picture of that level and of no other."""
    return probabilities_in(answer) == pytest.approx(probabilities_of(level))


def statuses(calls: list[grpc.Future]) -> list[grpc.StatusCode]:
    """How each ended, once it has."""
    return [call.code() for call in calls]
