"""A server that has to be unharmed by what a test does to it."""

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tests.faults.asking import is_right
from tests.faults.books import Books
from tests.serving.doors.fake_models import BRIGHT, asked
from tests.serving.fakes import FakeClock
from tests.serving.loops import LoopThread, eventually
from tests.serving.running import Running, of_engines


@pytest.fixture
def clock(monkeypatch) -> FakeClock:
    """What the server takes for the monotonic clock."""
    import serving.server  # TensorFlow, which takes its time

    clock = FakeClock()
    monkeypatch.setattr(serving.server, "time", SimpleNamespace(monotonic=clock))
    return clock


async def tasks_on_the_loop() -> int:
    return len(asyncio.all_tasks())


def threads_of_servers() -> int:
    return sum(thread.name.startswith(("engine", "decode")) for thread in threading.enumerate())


def check_unharmed(server: Running, loop: LoopThread, tasks_at_rest: int, threads_before: int) -> None:
    """Fails where the server does not answer, holds anything of calls that are over, or has miscounted."""
    assert is_right(server.classify(asked(BRIGHT)), BRIGHT)
    eventually(lambda: loop.run(tasks_on_the_loop()) <= tasks_at_rest)
    servables = list(server.server.repository.servables)
    assert not any(servable.queued_rows for servable in servables)
    eventually(lambda: threads_of_servers() <= threads_before + len(servables) + 1)  # an engine's each, and one decodes
    Books(server).check()


@pytest.fixture
def unharmed(loop, caplog):
    """Runs a server as of_engines does. After the block it has to answer for its model "shades", as it did before."""

    @contextmanager
    def unharmed(**options) -> Iterator[Running]:
        threads_before = threads_of_servers()  # of servers that other tests have
        with of_engines(loop, **options) as server:
            tasks_at_rest = loop.run(tasks_on_the_loop())
            yield server
            check_unharmed(server, loop, tasks_at_rest, threads_before)
        gc.collect()  # tasks tell of exceptions that nobody took when they are thrown away
        refusals = "serving.doors.statuses"  # which logs what it tells no caller
        failures = [each for each in caplog.records if each.levelname == "ERROR" and each.name != refusals]
        assert not failures, failures[0].getMessage()

    return unharmed
