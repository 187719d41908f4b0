"""One peer against us: the same network, the same questions, the same callers, in turns."""

import asyncio
import contextlib
import sysconfig
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from protos import classification_pb2 as pb
from protos.model_card_pb2 import ModelCard
from serving.cores import cores
from serving.models import card as cards
from tests.benchmarks import engines, lenet5_rates, load, pictures, report, resnet50
from tests.benchmarks.ours import LOGS, Ours, request, serving
from tests.benchmarks.peers.catalogue import PEERS
from tests.benchmarks.peers.environments import python_of
from tests.benchmarks.peers.served import Served
from tests.benchmarks.processes import Process, free_ports, running
from tests.benchmarks.report import Asked, Rounds, Target
from training import first_light
from training.publishing import newest_version

LIBRARIES = {"LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR")}
"""So that Triton finds the libpython of the environment's Python, and not the system's."""
CLOSE = 0.02
"""Probabilities may differ by so much: decoders round JPEG files differently."""


class Question(NamedTuple):
    """What is asked of everyone, and how."""

    words: str
    models: Path
    name: str
    views: pb.Views
    rows: int
    callers: int
    rounds: int
    seconds: float
    threads: int
    max_batch_size: int
    """Of a peer, in requests; ours takes up to 64 rows."""
    max_wait_seconds: float
    """Of a peer: a small part of what a batch takes."""


LENET5 = Question(
    "LeNet-5, one view", lenet5_rates.MODELS, lenet5_rates.NAME, pb.VIEWS_SINGLE, 1, 64, 3, 2.0, 1, 64, 0.002
)
RESNET50 = Question(
    "ResNet-50, one view", resnet50.MODELS, resnet50.NAME, pb.VIEWS_SINGLE, 1, 16, 2, 6.0, cores(), 16, 0.01
)
RESNET50_TEN = Question(
    "ResNet-50, ten views", resnet50.MODELS, resnet50.NAME, pb.VIEWS_TEN, 10, 8, 1, 15.0, cores(), 6, 0.01
)

_REFERENCE, _BEST, _ADAPTIVE = engines.REFERENCE.words, "our best engine", "our best engine, adaptive"


class Found(NamedTuple):
    """What was measured."""

    peer: str
    """Its title."""
    best: str
    """The engine and precision that was ours at its best."""
    rounds: Rounds


def measure(name: str) -> Found:
    """Asks the peer called `name` and us. Raises NotInstalled, and NeverAnswered or ValueError where the peer does
    not answer, or not as we do.
    """
    title, rounds = PEERS[name].title, Rounds(list)
    python = python_of(name).absolute()
    first_light.main()
    version = resnet50.published()
    best = engines.best(version)
    for question in (LENET5, RESNET50, RESNET50_TEN):
        by_itself = {}  # the server finds the best engine for a network that is not quantised
        ours = {_REFERENCE: engines.REFERENCE.settings, _BEST: by_itself if question is LENET5 else best.settings}
        asyncio.run(_ask_all(name, python, question, ours, rounds))
    return Found(title, best.words, rounds)


def targets(found: Found) -> list[Target]:
    """How we compare with what was wanted."""
    wanted = [
        (LENET5, _REFERENCE, 3.0),
        (LENET5, _BEST, 3.0),
        (RESNET50, _REFERENCE, 1.0),
        (RESNET50, _BEST, 2.0),
        (RESNET50_TEN, _REFERENCE, 1.0),
        (RESNET50_TEN, _BEST, 2.0),
        (RESNET50_TEN, _ADAPTIVE, 4.0),
    ]
    return [
        Target(
            f"{question.words}: {ours}, of the rate of {found.peer}",
            "at least",
            times,
            report.ratio(found.rounds, _asked(question, ours), _asked(question, found.peer)),
        )
        for question, ours, times in wanted
    ]


def _asked(question: Question, whom: str) -> Asked:
    return Asked(f"{question.words}, {whom}", question.callers)


async def _ask_all(name: str, python: Path, question: Question, ours, rounds: Rounds) -> None:
    version = newest_version(question.models / question.name)
    card = cards.read(version)
    picture = card.golden_inputs[0].png if question is LENET5 else pictures.photographs(1)[0]
    served = _served(question, version, card)
    body = pictures.cut(picture, card, question.views).tobytes() if served.views > 1 else picture
    peer, ports = PEERS[name], free_ports(PEERS[name].ports)
    environment = {"PORT": ",".join(map(str, ports)), "PYTHONPATH": Path.cwd(), **LIBRARIES, **served.to_environment()}
    async with contextlib.AsyncExitStack() as stack:
        command = (python, "-m", f"tests.benchmarks.peers.{name}")
        log = LOGS / f"{name}, {question.words}.log"
        process: Process = stack.enter_context(running(command, log, environment))
        servers = {
            words: stack.enter_context(
                serving(question.models, f"beside {name}, {words}", engine_threads=question.threads, **settings)
            )
            for words, settings in ours.items()
        }
        asks = {}
        for words, server in servers.items():
            asks |= await _our_asks(stack, words, server, question, picture)
        theirs = await stack.enter_async_context(peer.client(ports[0], served, body))
        _check(peer.title, await process.first_answer(theirs), await asks[_REFERENCE](), len(card.labels))
        asks[peer.title] = theirs
        for _ in track(range(question.rounds), f"{peer.title}, {question.words}"):
            for words, ask in asks.items():
                measured = await load.run_callers(ask, question.callers, question.seconds)
                rounds[_asked(question, words)].append(measured)


def _served(question: Question, version: Path, card: ModelCard) -> Served:
    return Served(
        str(version.absolute()),
        (card.input.height, card.input.width, card.input.channels),
        card.geometry.shorter_side,
        card.geometry.margin,
        question.rows,
        question.threads,
        question.max_batch_size,
        question.max_wait_seconds,
    )


async def _our_asks(stack, words: str, server: Ours, question: Question, picture: bytes):
    """By whom is asked; of our best, ten views adaptively as well."""
    asked = request(question.name, picture, question.views)
    stub = await stack.enter_async_context(server.stub(asked))
    asks = {words: lambda: stub.Classify(asked)}
    if words == _BEST and question.views == pb.VIEWS_TEN:
        adaptive = request(question.name, picture, question.views, adaptive=True)
        asks[_ADAPTIVE] = lambda: stub.Classify(adaptive)
    return asks


def _check(peer: str, theirs: NDArray[np.float32], ours: pb.ClassifyResponse, classes: int) -> None:
    """Raises ValueError where the peer answers otherwise than we do."""
    if theirs.shape != (classes,):
        raise ValueError(f"An answer is a probability of each of {classes} classes; {peer} gave {theirs.shape}.")
    off = max(abs(float(theirs[each.class_id]) - each.probability) for each in ours.predictions)
    if off > CLOSE:
        raise ValueError(f"Everyone serves one network; a probability of {peer} is {off:.3f} from ours.")
