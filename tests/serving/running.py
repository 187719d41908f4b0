"""A real server inside the test's process, on free ports, and what a test asks it with."""

import asyncio
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from prometheus_client.parser import text_string_to_metric_families

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.metrics import Metrics
from serving.models.card import Engine
from serving.models.catalogue import ServedModel
from serving.models.ensemble import Ensemble, Member
from serving.models.lifecycle.manager import Manager
from serving.models.repository import Repository
from serving.models.servable import Batching
from serving.settings import Settings
from tests.serving.fakes import PATIENCE, fake_servable
from tests.serving.loops import LoopThread, eventually

if TYPE_CHECKING:
    from serving.server import Server

FREE_PORTS = {"grpc_port": 0, "http_port": 0, "admin_port": 0}
EIGHT_ROWS = Batching.of(max_batch_size=8)
MEAN = pb.VOTE_MEAN_PROBABILITY


class Running:
    """A server that runs, and a channel to it."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.address = f"127.0.0.1:{server.grpc_port}"
        self.channel = grpc.insecure_channel(self.address)
        self.stub = ClassificationStub(self.channel)

    def classify(self, request: pb.ClassifyRequest) -> pb.ClassifyResponse:
        """The answer to `request`. Raises grpc.RpcError."""
        return self.stub.Classify(request, timeout=PATIENCE)

    def refusal(self, request: pb.ClassifyRequest) -> tuple[grpc.StatusCode, str]:
        """Status and message of a request that is not answered."""
        try:
            answer = self.classify(request)
        except grpc.RpcError as error:
            return error.code(), error.details()
        raise AssertionError(f"answered: {answer}")

    def http(self, path: str, **headers: str) -> tuple[str, Mapping[str, str]]:
        """Body and headers of the HTTP door's answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.http_port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.read().decode(), response.headers

    def sample(self, name: str, **labels: str) -> float:
        """The value of one sample of /metrics; 0 where there is none."""
        for family in text_string_to_metric_families(self.http("/metrics")[0]):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return 0.0

    def wait_for_queue(self, rows: int, name: str = "shades") -> None:
        """Returns once that many rows wait for the model."""
        (servable,) = self.server.repository.models[name].servables.values()
        eventually(lambda: servable.queued_rows == rows)


@contextmanager
def running(
    loop: LoopThread, load: Callable[[Settings, Metrics], Repository | Manager], **settings
) -> Iterator[Running]:
    """Runs a server over what `load` gives, inside the block."""
    from serving.server import Server

    chosen = Settings(**{**FREE_PORTS, "drain_seconds": 5, "decoding_threads": 1, **settings})
    metrics = Metrics()
    loaded = load(chosen, metrics)
    manager = loaded if isinstance(loaded, Manager) else None
    repository = manager.repository if manager else loaded

    async def start() -> Server:
        server = Server(chosen, repository, metrics, manager)
        await server.start()
        return server

    server = Running(loop.run(start()))
    try:
        yield server
    finally:
        server.channel.close()
        loop.run(server.server.stop())


def of_models(root: Path, loop: LoopThread, **settings):
    """Runs a server over the models in `root`, which it does not look into again unless it is told to."""
    from serving.supply import manager_of

    def load(settings: Settings, metrics: Metrics) -> Manager:
        manager = manager_of(settings, metrics)
        asyncio.run(manager.start())
        return manager

    return running(loop, load, **{"models": root, "poll_seconds": 0, **settings})


def of_engines(
    loop: LoopThread,
    ensembles: Mapping[str, Mapping[str, float]] | None = None,
    batching: Batching = EIGHT_ROWS,
    settings: Mapping[str, object] | None = None,
    clock: Callable[[], float] = time.monotonic,
    **engines: Engine,
):
    """Runs a server over engines of the test's, each under its name, and ensembles of them by weight."""

    def load(_: Settings, metrics: Metrics) -> Repository:
        servables = {
            name: fake_servable(
                name, engine=engine, observer=metrics.queue_observer(name, 1), clock=clock, batching=batching
            )
            for name, engine in engines.items()
        }
        for name, servable in servables.items():
            metrics.version_ready(name, 1, lambda servable=servable: servable.queued_rows)
        formed = {
            name: Ensemble(name, tuple(Member(servables[one], weight) for one, weight in weights.items()), MEAN)
            for name, weights in (ensembles or {}).items()
        }
        return Repository({name: ServedModel(name, {1: servable}) for name, servable in servables.items()}, formed)

    return running(loop, load, **(settings or {}))
