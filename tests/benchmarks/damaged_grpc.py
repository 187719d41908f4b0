"""Sends every door of gRPC calls with random damage: what it says to them, and what stays in the server's memory.

python -m tests.benchmarks.serving damaged-grpc
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Set
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import grpc

from protos.classification_pb2_grpc import ClassificationStub
from serving.models import card as cards
from tests.benchmarks import lenet5_rates
from tests.benchmarks.ours import Ours, request, serving
from tests.benchmarks.report import Target
from tests.damage import frames
from tests.damage.asking import told
from tests.damage.calls import damaged
from tests.damage.doors import DOORS, Door
from tests.damage.subject import Subject
from tests.serving.tiny import TinyModel
from training import first_light
from training.markdown import heading, row
from training.publishing import newest_version

FIRST, ALL = 1000, 10_000
_PATIENCE = 0.3
"""Seconds that a connection waits which has perhaps not said all."""
_VICTIM = TinyModel("victim", 1, seed=1)
"""What damaged orders are about, which may be carried out."""


class Found(NamedTuple):
    """What one door said, and bytes in memory after the first calls and after all."""

    statuses: Counter[str]
    undocumented: int
    first: int
    last: int


def measure() -> dict[str, Found]:
    """Trains the model where it is missing, and asks. By the door's name."""
    first_light.main()
    with tempfile.TemporaryDirectory() as directory:
        newest = newest_version(lenet5_rates.MODELS / lenet5_rates.NAME)
        shutil.copytree(newest, Path(directory, lenet5_rates.NAME, newest.name))
        _VICTIM.publish(Path(directory))
        subject = Subject.of(cards.read(newest))
        with serving(Path(directory), "damaged-grpc", engine_threads=lenet5_rates.THREADS) as server:
            asyncio.run(_first_answer(server, subject))
            of_calls = {name: _of_calls(server, door, subject) for name, door in DOORS.items()}
            return {**of_calls, "frames of HTTP/2": _of_frames(server, subject)}


def table(found: dict[str, Found]) -> list[str]:
    """A row a door: how often each status was told, and the memory."""
    names = sorted({name for each in found.values() for name in each.statuses})
    lines = heading("calls", [*names, f"MB after {FIRST:,}", f"after {ALL:,}"])
    for door, (statuses, _, *resident) in found.items():
        cells = [f"{statuses[name]:,}" if statuses[name] else "" for name in names]
        lines.append(row(door, [*cells, *(f"{each / 1e6:,.0f}" for each in resident)]))
    return lines


def targets(found: dict[str, Found]) -> list[Target]:
    """How it compares with what was wanted."""
    undocumented = sum(each.undocumented for each in found.values())
    grown = max(100 * (each.last / each.first - 1) for each in found.values())
    return [
        Target("statuses that are not documented", "at most", 0, undocumented),
        Target(f"most that memory grew by from {FIRST:,} to {ALL:,} calls of a door, %", "at most", 3.0, grown),
    ]


def _of_calls(server: Ours, door: Door, subject: Subject) -> Found:
    port = server.port if door.is_public else server.admin_port
    calls = damaged(door.originals(subject if door.is_public else Subject.of(_VICTIM.card())), seed=1)
    return _found(server, subject, door.documented, lambda count: told(port, islice(calls, count)).statuses)


def _of_frames(server: Ours, subject: Subject) -> Found:
    body = request(subject.name, subject.picture).SerializeToString()
    connections = frames.damaged("tencrop.v1.Classification/Classify", body, seed=1)

    def tell(count: int) -> Counter[str]:
        return asyncio.run(frames.statuses_told(server.port, islice(connections, count), _PATIENCE))

    return _found(server, subject, frames.DOCUMENTED, tell)


def _found(server: Ours, subject: Subject, documented: Set[str], tell: Callable[[int], Counter[str]]) -> Found:
    statuses = tell(FIRST)
    first = server.process.resident_bytes()
    statuses += tell(ALL - FIRST)
    last = server.process.resident_bytes()
    _check_answer(server, subject)
    undocumented = sum(count for status, count in statuses.items() if status not in documented)
    return Found(statuses, undocumented, first, last)


async def _first_answer(server: Ours, subject: Subject) -> None:
    async with server.stub(request(subject.name, subject.picture)):
        pass


def _check_answer(server: Ours, subject: Subject) -> None:
    """Raises where the server is not what it was."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        answer = ClassificationStub(channel).Classify(request(subject.name, subject.picture), timeout=10)
    if answer.predictions[0].class_id != subject.winner:
        raise AssertionError(f"{subject.name} was to name class {subject.winner}; it named {answer.label!r}.")
