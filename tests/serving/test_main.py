"""The composition root: which signals end a server, from when on, and ports that are taken."""

import asyncio
import os
import signal
import socket
import time

import pytest

from serving import main, supply
from serving.models.declaration import ModelDeclaration
from serving.models.servable import Batching
from serving.settings import Settings
from serving.startup import Startup
from tests.serving.running import of_models


class Unheard(Exception):
    """A signal came that nobody listened for."""


class QuietServer:
    """Opens no ports, and remembers that it was stopped."""

    def __init__(self, *_) -> None:
        self.stopped = False

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True


class NoModels:
    """A manager that only notes when it loads."""

    def __init__(self, taken: list[object]) -> None:
        self._taken = taken

    async def start(self) -> None:
        self._taken.append("load")


@pytest.fixture
def unheard_signals_raise():
    """Where the server does not listen, a signal fails the test, and does not end the tests."""

    def unheard(number, _):
        raise Unheard(signal.Signals(number).name)

    before = {number: signal.signal(number, unheard) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def steps(monkeypatch) -> list[object]:
    """What serve does on its way to a server that opens no ports."""
    taken = []
    monkeypatch.setattr(main, "Server", QuietServer)
    monkeypatch.setattr(main, "spare_what_stays", lambda: None)  # the tests go on
    monkeypatch.setattr(main, "manager_of", lambda *_: NoModels(taken))
    return taken


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_even_right_after_it_was_announced(steps, unheard_signals_raise, number):
    announced = []

    def announce(server):
        announced.append(server)
        os.kill(os.getpid(), number)

    asyncio.run(main.serve(Settings(), Startup(time.monotonic), announce))
    assert [server.stopped for server in announced] == [True]


@pytest.mark.parametrize(
    ("port", "option"), [("grpc_port", "--grpc-port"), ("http_port", "--http-port"), ("admin_port", "--admin-port")]
)
def test_a_port_that_is_taken_is_named_with_the_way_out(loop, models_root, port, option):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with (
            pytest.raises(OSError, match=rf"127\.0\.0\.1:{number} .*{option}"),
            of_models(models_root, loop, max_batch_size=1, **{port: number}),
        ):
            pass


@pytest.mark.parametrize(
    ("declared", "made"),
    [
        ({}, ("openvino", "bfloat16", (1, 8))),
        ({"engine": "auto", "precision": "int8"}, ("auto", "int8", (1, 8))),
        ({"allowed_batch_sizes": [4]}, ("openvino", "bfloat16", (4,))),
    ],
)
def test_a_model_is_run_as_it_is_declared_and_else_as_the_settings_say(declared, made):
    settings = Settings(engine="openvino", precision="bfloat16", max_batch_size=8)
    declaration = ModelDeclaration(**declared)
    engines = supply._engines(settings, declaration, Batching.of(8).declared(declaration))
    assert (engines.engine, engines.precision, engines.batch_sizes) == made


@pytest.mark.parametrize(("cores", "threads", "streams"), [(1, 1, 1), (2, 1, 1), (16, 16, 1), (16, 1, 15), (16, 4, 3)])
def test_as_many_streams_run_as_there_are_cores_for_but_one(monkeypatch, cores, threads, streams):
    monkeypatch.setattr(supply, "cores", lambda: cores)
    assert supply._engines(Settings(engine_threads=threads), ModelDeclaration(), Batching.of(8)).streams == streams
