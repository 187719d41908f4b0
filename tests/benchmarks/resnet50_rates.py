"""Measures ResNet-50 over gRPC, of 500x375 JPEG files, against a loop in one process that does the same work.

python -m tests.benchmarks.serving resnet50

Once with TensorFlow in float32, once with the engine and precision that are fastest. Both servers wait in the same
rounds, and so do both loops.
"""

import asyncio
import contextlib
import itertools
from typing import NamedTuple

import numpy as np
from rich.progress import track

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.models import card as cards
from serving.models.card import Engine
from tests.benchmarks import bare, engines, load, pictures, report, resnet50
from tests.benchmarks.engines import Choice
from tests.benchmarks.ours import request, serving
from tests.benchmarks.report import Asked, Rounds, Target
from training.data import load as load_data

ROUNDS, CALLERS = 2, 16
AGREEING = 200
"""Garments that are asked about adaptively and in full."""


class _Views(NamedTuple):
    """Of one picture."""

    views: pb.Views
    words: str
    seconds: float
    """Of measuring, so that there are some batches."""
    wanted: float
    """Of the rate of a loop in one process."""


_SINGLE = _Views(pb.VIEWS_SINGLE, "one view", 8.0, 0.90)
_TEN = _Views(pb.VIEWS_TEN, "ten views", 16.0, 0.95)
_ADAPTIVE = "ten views, adaptive"
_BEST = "best engine"


class Found(NamedTuple):
    """What was measured."""

    rounds: Rounds
    best: Choice
    agreeing: float
    """The share of pictures whose adaptive answer was that of the full vote."""


def measure() -> Found:
    """Makes the network where it is missing, and asks in rounds."""
    version = resnet50.published()
    best = engines.best(version)
    with contextlib.ExitStack() as stack:
        servers = {
            words: stack.enter_context(serving(resnet50.MODELS, f"resnet50 {words}", **choice.settings))
            for words, choice in _contestants(best).items()
        }
        return Found(*asyncio.run(_rounds(version, best, servers)))


def table(found: Found) -> list[str]:
    """A row for each that was asked."""
    return [f"The best engine is {found.best.words}.", "", *report.rates(found.rounds)]


def targets(found: Found) -> list[Target]:
    """How it compares with what was wanted."""
    rounds, reference = found.rounds, engines.REFERENCE.words
    compared = [
        Target(
            f"{each.words} of ResNet-50, {words}: rate at {CALLERS} callers, of a loop's",
            "at least",
            each.wanted,
            report.ratio(rounds, _served(words, each.words), _looped(words, each.words)),
        )
        for words, each in itertools.product((reference, _BEST), (_SINGLE, _TEN))
    ]
    gained = report.ratio(rounds, _looped(_BEST, _TEN.words), _looped(reference, _TEN.words))
    return [
        *compared,
        Target(f"{found.best.words}, the best engine, in the rate of {reference}", "at least", 2.0, gained),
        Target("answers of adaptive votes that are the full vote's, %", "at least", 99.5, 100 * found.agreeing),
    ]


def _contestants(best: Choice) -> dict[str, Choice]:
    return {engines.REFERENCE.words: engines.REFERENCE, _BEST: best}


def _served(words: str, views: str) -> Asked:
    return Asked(f"{views}, {words}", CALLERS)


def _looped(words: str, views: str) -> Asked:
    return Asked(f"{views}, {words}, in a loop")


async def _rounds(version, best: Choice, servers) -> tuple[Rounds, Choice, float]:
    files = pictures.photographs()
    warm_up = request(resnet50.NAME, files[0])
    loops = {words: _Loop(version, choice) for words, choice in _contestants(best).items()}
    rounds = Rounds(list)
    async with contextlib.AsyncExitStack() as stack:
        stubs = {words: await stack.enter_async_context(server.stub(warm_up)) for words, server in servers.items()}
        garments = _garments()
        for _ in track(range(ROUNDS), "ResNet-50"):
            for each, (words, stub) in itertools.product((_SINGLE, _TEN), stubs.items()):
                work, answers = loops[words].over(files, each.views)
                looped = load.run_loop(work, each.seconds / 2, answers)
                rounds[_looped(words, each.words)].append(looped)
                served = await load.run_callers(_ask(stub, files, each.views), CALLERS, each.seconds)
                rounds[_served(words, each.words)].append(served)
            adaptive = _ask(stubs[_BEST], garments, pb.VIEWS_TEN, adaptive=True)
            rounds[_served(_BEST, _ADAPTIVE)].append(await load.run_callers(adaptive, CALLERS, _TEN.seconds))
        return rounds, best, await _agreeing(stubs[_BEST], garments)


class _Loop:
    """An engine in this process, at the size of batches that it runs fastest."""

    def __init__(self, version, choice: Choice) -> None:
        self._card = cards.read(version)
        self._engine: Engine = choice.load(version)
        self._rows = bare.best_size(self._engine, self._card)

    def over(self, files: list[bytes], views: pb.Views):
        """Work, and how many answers it gives."""
        return bare.answering(self._engine, self._card, files, views, self._rows)


def _ask(stub: ClassificationStub, files: list[bytes], views: pb.Views, **fields):
    requests = itertools.cycle([request(resnet50.NAME, file, views, **fields) for file in files])
    return lambda: stub.Classify(next(requests))


def _garments() -> list[bytes]:
    """Of the test pictures those that the network was not measured on."""
    images = load_data("fashion-mnist").test.images[resnet50.MEASURED_ON :][:AGREEING]
    return pictures.files(pictures.framed(np.asarray(images)))


async def _agreeing(stub: ClassificationStub, garments: list[bytes]) -> float:
    """The share of pictures of which adaptive and full votes name the same class."""
    room = asyncio.Semaphore(CALLERS)

    async def same(file: bytes) -> bool:
        async with room:
            full, adaptive = [
                await stub.Classify(request(resnet50.NAME, file, pb.VIEWS_TEN, top_k=1, adaptive=adaptive))
                for adaptive in (False, True)
            ]
        return full.label == adaptive.label

    return float(np.mean(await asyncio.gather(*map(same, garments))))
