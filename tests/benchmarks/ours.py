"""Our server, as `tencrop serve` runs it, in a process of its own."""

import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from tests.benchmarks.dialling import dial
from tests.benchmarks.processes import Process, free_ports, running

LOGS = Path(".bench", "logs")


class Ours(NamedTuple):
    """A server that runs."""

    process: Process
    port: int
    http_port: int
    admin_port: int

    def total(self, metric: str) -> float:
        """The sum of a sample of /metrics over all its labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=10) as response:
            families = text_string_to_metric_families(response.read().decode())
        return sum(sample.value for family in families for sample in family.samples if sample.name == metric)

    @asynccontextmanager
    async def stub(self, warm_up: pb.ClassifyRequest) -> AsyncIterator[ClassificationStub]:
        """What asks it, once it has answered `warm_up`."""
        async with dial(self.port) as channel:
            stub = ClassificationStub(channel)
            await self.process.first_answer(lambda: stub.Classify(warm_up))
            yield stub


@contextmanager
def serving(models: Path, name: str, **settings: object) -> Iterator[Ours]:
    """Serves `models` inside the block, with `settings` beside the defaults; what it prints is in LOGS / `name`."""
    port, http_port, admin_port = free_ports(3)
    environment = {f"TENCROP_{setting.upper()}": value for setting, value in settings.items()}
    environment |= {"TENCROP_MODELS": models, "TENCROP_GRPC_PORT": port, "TENCROP_HTTP_PORT": http_port}
    environment |= {"TENCROP_ADMIN_PORT": admin_port}
    with running((sys.executable, "-m", "tencrop", "serve"), LOGS / f"{name}.log", environment) as process:
        yield Ours(process, port, http_port, admin_port)


def request(model: str, picture: bytes, views: pb.Views = pb.VIEWS_SINGLE, **fields: object) -> pb.ClassifyRequest:
    """A question about a file."""
    return pb.ClassifyRequest(model=pb.ModelSpec(name=model), encoded=picture, views=views, **fields)
