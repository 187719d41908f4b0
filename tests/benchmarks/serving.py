"""Measures LeNet-5 over gRPC against its bare engine and a bare echo, and rewrites the table in README.md.

    make bench

Every round asks all of them in turn, so that whatever else the machine does meets all alike; ratios are
taken inside a round, and figures are medians over the rounds.
"""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc.aio
from rich.console import Console
from rich.progress import track

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.models import card as cards
from serving.models.engines.tensorflow import TensorFlowEngine
from serving.pipeline import picture as pictures
from serving.pipeline import views as geometry
from tests.benchmarks import load, report
from tests.benchmarks.echo import METHOD
from training import first_light

ROUNDS = 5
SECONDS = 2.0
MODEL = "lenet5-a"
GRPC_PORT, HTTP_PORT, ECHO_PORT = 8610, 8611, 8612


def main() -> None:
    """Trains the models where they are missing, measures, prints, and rewrites the README."""
    first_light.main()
    version = max(
        (path for path in Path("models", MODEL).iterdir() if path.name.isdigit()), key=lambda at: int(at.name)
    )
    tencrop = Path(sys.executable).with_name("tencrop")
    serve = (tencrop, "serve", "--engine-threads", 1, "--grpc-port", GRPC_PORT, "--http-port", HTTP_PORT)
    with (
        _process(sys.executable, "-m", "tests.benchmarks.echo", ECHO_PORT, ready="ready"),
        _process(*serve, ready="Try"),
    ):
        rounds = asyncio.run(_rounds(version))
    table = report.table(rounds)
    Console().print(table, markup=False, soft_wrap=True)
    report.write(table)


async def _rounds(version: Path) -> list[report.Round]:
    card = cards.read(version)
    png = card.golden_inputs[0].png
    prepare, run = _in_process(card, png, TensorFlowEngine(version))
    async with (
        grpc.aio.insecure_channel(f"localhost:{GRPC_PORT}") as served,
        grpc.aio.insecure_channel(f"localhost:{ECHO_PORT}") as echoed,
    ):
        classify, echo = ClassificationStub(served).Classify, echoed.unary_unary(METHOD)
        one, ten = (_request(png, views) for views in (pb.VIEWS_SINGLE, pb.VIEWS_TEN))
        payload = one.SerializeToString()
        rounds = []
        for _ in track(range(ROUNDS), "Measuring"):
            measured = {
                report.PREPARE: load.run_loop(prepare, SECONDS),
                report.ENGINE_1: load.run_loop(run(1), SECONDS),
                report.ENGINE_64: load.run_loop(run(64), SECONDS),
            }
            asks = {
                report.ECHO: lambda: echo(payload),
                report.ONE: lambda: classify(one),
                report.TEN: lambda: classify(ten),
            }
            for callers, (what, ask) in itertools.product(report.CALLERS, asks.items()):
                measured[report.Asked(what, callers)] = await load.run_callers(ask, callers, SECONDS)
            rounds.append(measured)
    return rounds


def _in_process(card, png: bytes, engine) -> tuple[Callable, Callable]:
    """What a request costs without a server: making its row, and running the engine on so many of them."""

    def prepare():
        picture = pictures.decode(pictures.open_header(png, pictures.Limits()))
        return geometry.cut(picture, card.input, card.geometry, pb.VIEWS_SINGLE)

    def run(rows: int) -> Callable:
        batch = prepare().repeat(rows, axis=0)
        return lambda: engine.run(batch)

    return prepare, run


def _request(png: bytes, views: int) -> pb.ClassifyRequest:
    return pb.ClassifyRequest(model=pb.ModelSpec(name=MODEL), encoded=png, views=views)


@contextmanager
def _process(*command, ready: str) -> Iterator[None]:
    """Runs `command` inside the block, from the line of its output that starts with `ready`."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    try:
        if not any(line.startswith(ready) for line in process.stdout):
            raise RuntimeError(f"{command} ended before it was ready.")
        yield
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    main()
