"""Sending recorded calls again: when each is due, and how long it takes."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from protos import classification_pb2 as pb
from protos.request_log_pb2 import RecordedCall
from serving.client import Answer
from serving.errors import TencropError
from serving.request_log.outcomes import Outcomes

IN_FLIGHT = 1000
"""Calls at a time where their rate is given; a server that falls behind further is waited for."""


class Asks(Protocol):
    """A client."""

    async def send(self, request: pb.ClassifyRequest) -> Answer:
        """See AsyncClient.send."""


class Pace(Protocol):
    """When calls are sent."""

    in_flight: int
    """Calls at a time, at most."""

    def due(self, number: int, call: RecordedCall) -> float | None:
        """In so many seconds after the first the call of this number is due; None for as soon as there is room."""


@dataclass
class AtOnce:
    """As many at a time as `in_flight`, each as soon as one has ended."""

    in_flight: int

    def due(self, number: int, call: RecordedCall) -> None:
        return None


@dataclass
class AtRate:
    """So many a second, whether others have ended or not."""

    rate: float
    in_flight: int = IN_FLIGHT

    def due(self, number: int, call: RecordedCall) -> float:
        return number / self.rate


@dataclass
class AsRecorded:
    """As far apart as they arrived."""

    in_flight: int = IN_FLIGHT
    _first: float | None = None

    def due(self, number: int, call: RecordedCall) -> float:
        arrived = call.ended_unix_nanos / 1e9 - call.seconds
        self._first = arrived if self._first is None else self._first
        return max(0.0, arrived - self._first)


async def replay(
    calls: Iterable[RecordedCall],
    client: Asks,
    question: Callable[[RecordedCall], pb.ClassifyRequest],
    pace: Pace,
    done: Callable[[RecordedCall], None],
) -> Outcomes:
    """Sends what `question` makes of each call; `done(call)` once it is over. Calls that were kept without their
    picture are passed over.
    """
    outcomes, room, sent = Outcomes(), asyncio.Semaphore(pace.in_flight), set[asyncio.Task[None]]()

    async def send(call: RecordedCall, due: float) -> None:
        try:
            answer = await client.send(question(call))
            outcomes.add(call, answer.label, time.monotonic() - due)
        except TencropError as error:
            outcomes.fail(call, error)
        finally:
            done(call)
            room.release()

    began, number = time.monotonic(), 0
    for call in calls:
        if not call.request.WhichOneof("picture"):
            outcomes.without_picture += 1
            done(call)
            continue
        due = pace.due(number, call)
        if due is not None:
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))
        await room.acquire()
        sent = {task for task in sent if not task.done() or task.exception()}
        sent.add(asyncio.create_task(send(call, time.monotonic() if due is None else began + due)))
        number += 1
    await asyncio.gather(*sent)
    outcomes.elapsed = time.monotonic() - began
    return outcomes
