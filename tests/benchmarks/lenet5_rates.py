"""Measures LeNet-5 over gRPC, one call a picture and as a stream, against its bare engine and a bare echo.

python -m tests.benchmarks.serving lenet5

Every round asks all of them in turn, so that whatever else the machine does meets all alike.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from rich.progress import track

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.models import card as cards
from serving.models.engines.loading import EngineLoader
from tests.benchmarks import load, pictures, report
from tests.benchmarks.dialling import dial
from tests.benchmarks.echo import METHOD
from tests.benchmarks.ours import LOGS, request, serving
from tests.benchmarks.processes import free_ports, running
from tests.benchmarks.report import Asked, Rounds, Target
from training import first_light
from training.publishing import newest_version

MODELS, NAME = Path("models"), "lenet5-a"
THREADS = 1
"""Handing parts of so small a network to another thread costs more than it gains."""
ROUNDS, SECONDS = 5, 1.5
CALLERS = (1, 16, 64)

_PREPARE, _ENGINE_1, _ENGINE_64 = Asked("decode and view"), Asked("bare engine, 1 row"), Asked("bare engine, 64 rows")
_ECHO, _ONE, _TEN, _STREAM = "echo", "one view", "ten views", "one view, through ClassifyStream"


def measure() -> Rounds:
    """Trains the model where it is missing, and asks in rounds."""
    first_light.main()
    (port,) = free_ports(1)
    with (
        running((sys.executable, "-m", "tests.benchmarks.echo", port), LOGS / "echo.log"),
        serving(MODELS, "lenet5", engine_threads=THREADS) as server,
    ):
        return asyncio.run(_rounds(server, port))


def table(rounds: Rounds) -> list[str]:
    """A row for each that was asked."""
    return report.rates(rounds)


def targets(rounds: Rounds) -> list[Target]:
    """How it compares with what was wanted."""
    extra = report.p50(rounds, Asked(_ONE, 1)) - report.p50(rounds, _PREPARE) - report.p50(rounds, _ENGINE_1)
    one, ten, echo = Asked(_ONE, 64), Asked(_TEN, 64), Asked(_ECHO, 64)
    return [
        Target("rate of one view at 64 callers, of the echo's", "at least", 0.6, report.ratio(rounds, one, echo)),
        Target("rate through a stream, of that", "at least", 3.0, report.ratio(rounds, Asked(_STREAM, 64), one)),
        Target("latency of one caller above decoding and the engine, ms", "at most", 1.0, 1e3 * extra),
        Target("cost of ten views at 64 callers, in single views", "at most", 2.5, report.ratio(rounds, one, ten)),
    ]


async def _rounds(server, port: int) -> Rounds:
    version = newest_version(MODELS / NAME)
    card, engine = cards.read(version), EngineLoader(threads=THREADS)(version)
    png = card.golden_inputs[0].png
    row = pictures.cut(png, card, pb.VIEWS_SINGLE)
    one, ten = request(NAME, png), request(NAME, png, pb.VIEWS_TEN)
    payload = one.SerializeToString()
    rounds = Rounds(list)
    async with dial(port) as channel, server.stub(one) as stub:
        echo = channel.unary_unary(METHOD)
        asks = {_ECHO: lambda: echo(payload), _ONE: lambda: stub.Classify(one), _TEN: lambda: stub.Classify(ten)}
        for _ in track(range(ROUNDS), "LeNet-5"):
            prepare = load.run_loop(lambda: pictures.cut(png, card, pb.VIEWS_SINGLE), SECONDS)
            rounds[_PREPARE].append(prepare)
            for asked, rows in ((_ENGINE_1, row), (_ENGINE_64, row.repeat(64, axis=0))):
                rounds[asked].append(load.run_loop(lambda rows=rows: engine.run(rows), SECONDS))
            for callers, (what, ask) in itertools.product(CALLERS, asks.items()):
                rounds[Asked(what, callers)].append(await load.run_callers(ask, callers, SECONDS))
            rounds[Asked(_STREAM, 64)].append(await _streamed(stub, one, 64))
    return rounds


async def _streamed(stub: ClassificationStub, asked: pb.ClassifyRequest, window: int) -> load.Measured:
    """Keeps `window` pictures of one stream on their way."""
    room = asyncio.Semaphore(window)
    answers: list[load.Answered] = []
    started, cpu = time.perf_counter(), time.process_time()
    end = started + (1 + load.WARM_UP) * SECONDS

    async def items() -> AsyncIterator[pb.ClassifyStreamRequest]:
        while time.perf_counter() < end:
            await room.acquire()
            yield pb.ClassifyStreamRequest(id=repr(time.perf_counter()), request=asked)

    async for item in stub.ClassifyStream(items()):
        if item.HasField("error"):
            raise RuntimeError(f"A picture of the stream was refused: {item.error.message}")
        now = time.perf_counter()
        answers.append(load.Answered(now, now - float(item.id)))
        room.release()
    callers_cpu = (time.process_time() - cpu) / (time.perf_counter() - started)
    return load.measured(answers, started + load.WARM_UP * SECONDS, end, callers_cpu)
