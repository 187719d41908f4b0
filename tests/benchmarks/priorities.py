"""Measures how long somebody waits for an answer while bulk fills the machine: one view of ResNet-20.

python -m tests.benchmarks.serving priorities
"""

import asyncio

import numpy as np
from rich.progress import track

from protos import classification_pb2 as pb
from serving.cores import cores
from serving.models import card as cards
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.benchmarks import load, report, resnet20
from tests.benchmarks.ours import Ours, request, serving
from tests.benchmarks.report import Asked, Rounds, Target

ROUNDS, SECONDS = 3, 5.0
BULK_CALLERS = 32
_BATCH = 64

_BARE = Asked(f"bare engine, {_BATCH} rows")
_ALONE, _BESIDE = Asked("one view, alone", 1), Asked("one view, beside bulk", 1)
_BULK = Asked("ten views, bulk", BULK_CALLERS)


def measure() -> Rounds:
    """Makes the network where it is missing, and asks in rounds."""
    version = resnet20.published()
    engine, card = TensorFlowEngine(version, threads=cores()), cards.read(version)
    batch = np.zeros((_BATCH, card.input.height, card.input.width, card.input.channels), np.uint8)
    with serving(resnet20.MODELS, "priorities", engine="tensorflow") as server:
        return asyncio.run(_rounds(server, lambda: engine.run(batch)))


def table(rounds: Rounds) -> list[str]:
    """A row for each that was asked."""
    return report.rates(rounds)


def targets(rounds: Rounds) -> list[Target]:
    """How it compares with what was wanted."""
    alone, beside = (np.median([each.p99 for each in rounds[asked]]) for asked in (_ALONE, _BESIDE))
    batch = np.median([each.p50 for each in rounds[_BARE]])
    return [
        Target("p99 beside bulk, of twice the p99 alone and one batch", "at most", 1.0, beside / (2 * alone + batch))
    ]


async def _rounds(server: Ours, run_batch) -> Rounds:
    picture = resnet20.picture()
    interactive = request(resnet20.NAME, picture, priority=pb.PRIORITY_INTERACTIVE)
    bulk = request(resnet20.NAME, picture, pb.VIEWS_TEN, priority=pb.PRIORITY_BULK)
    rounds = Rounds(list)
    async with server.stub(interactive) as stub:
        for _ in track(range(ROUNDS), "Priorities"):
            rounds[_BARE].append(load.run_loop(run_batch, SECONDS / 5))
            alone = await load.run_callers(lambda: stub.Classify(interactive), 1, SECONDS)
            beside, filling = await asyncio.gather(
                load.run_callers(lambda: stub.Classify(interactive), 1, SECONDS),
                load.run_callers(lambda: stub.Classify(bulk), BULK_CALLERS, SECONDS),
            )
            for asked, measured in ((_ALONE, alone), (_BESIDE, beside), (_BULK, filling)):
                rounds[asked].append(measured)
    return rounds
