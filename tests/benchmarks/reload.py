"""Reloads a model under load, good and broken versions in turn, and counts what callers notice.

    python -m tests.benchmarks.reload [reloads] [callers]

Prints failed calls, the 99th percentile in seconds in which versions change and in those in which none does, the first
answers of new versions, and the server's memory.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np

from protos import classification_pb2 as pb
from serving.models import card as cards
from tests.benchmarks import lenet5_rates
from tests.benchmarks.ours import Ours, request, serving
from training import first_light
from training.markdown import heading, row
from training.publishing import newest_version, publish

RELOADS, CALLERS = 100, 32
POLL_SECONDS = 0.2
SETTLED_SECONDS = 1.0
"""After a new version has answered first, what is still counted as its switch: the old one unloads."""


class Answer(NamedTuple):
    """One call."""

    at: float
    seconds: float
    version: int
    """0 where it failed."""


class Switch(NamedTuple):
    """One reload."""

    published: float
    ended: float
    resident: int


def main(reloads: int = RELOADS, callers: int = CALLERS) -> None:
    """Trains the model where it is missing, reloads it, and prints the table."""
    first_light.main()
    source = newest_version(lenet5_rates.MODELS / lenet5_rates.NAME)
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory, lenet5_rates.NAME)
        publish(model, lambda version: _copy(source, version))
        settings = {"engine_threads": lenet5_rates.THREADS, "poll_seconds": POLL_SECONDS}
        with serving(Path(directory), "reload", **settings) as server:
            answers, switches = asyncio.run(_reload(server, source, model, reloads, callers))
    print("\n".join(_table(answers, switches)))


async def _reload(
    server: Ours, source: Path, model: Path, reloads: int, callers: int
) -> tuple[list[Answer], list[Switch]]:
    asked = request(lenet5_rates.NAME, cards.read(source).golden_inputs[0].png)
    answers: list[Answer] = []
    switches: list[Switch] = []
    async with server.stub(asked) as stub:
        asking = [asyncio.create_task(_ask(stub, asked, answers)) for _ in range(callers)]
        await asyncio.sleep(5)
        for turn in range(reloads):
            published = time.perf_counter()
            version = await asyncio.to_thread(publish, model, lambda to, turn=turn: _copy(source, to, broken=turn % 2))
            await _until_known(stub, int(version.name))
            await asyncio.sleep(SETTLED_SECONDS)
            switches.append(Switch(published, time.perf_counter(), server.process.resident_bytes()))
            _leave_two(model)
            await asyncio.sleep(SETTLED_SECONDS)
        for task in asking:
            task.cancel()
    return answers, switches


async def _ask(stub, asked: pb.ClassifyRequest, answers: list[Answer]) -> None:
    while True:
        began = time.perf_counter()
        try:
            version = (await stub.Classify(asked)).model_versions[0].version
        except grpc.RpcError as error:
            print(error.code(), error.details(), file=sys.stderr)
            version = 0
        answers.append(Answer(began, time.perf_counter() - began, version))


async def _until_known(stub, version: int) -> None:
    """Returns once the server serves `version`, or says why it does not."""
    while True:
        (model,) = (await stub.ListModels(pb.ListModelsRequest())).models
        status = next((each for each in model.version_statuses if each.version == version), None)
        if status and (status.error or status.state == pb.VersionStatus.STATE_AVAILABLE):
            return
        await asyncio.sleep(0.02)


def _copy(source: Path, version: Path, broken: bool = False) -> None:
    shutil.copytree(source, version, dirs_exist_ok=True)
    if broken:  # in what is found out last: it is loaded whole before it is refused
        card = cards.read(version)
        card.golden_inputs[0].probabilities[0] += 0.5
        cards.write(card, version)


def _leave_two(model: Path) -> None:
    """Removes all but the newest two versions, of which one is good."""
    versions = sorted((int(path.name) for path in model.iterdir() if path.name.isdigit()), reverse=True)
    for version in versions[2:]:
        shutil.rmtree(model / str(version))


def _table(answers: list[Answer], switches: list[Switch]) -> list[str]:
    during, outside = [], []
    for answer in answers:
        ended = answer.at + answer.seconds
        is_during = any(switch.published <= ended and answer.at < switch.ended for switch in switches)
        (during if is_during else outside).append(answer.seconds)
    newest, firsts = 0, []
    for answer in sorted(answers, key=lambda each: each.at + each.seconds):
        if answer.version > newest:
            newest = answer.version
            firsts.append(answer.seconds)
    p99, p99_outside = np.percentile(during, 99), np.percentile(outside, 99)
    median = np.median(outside)
    settled = switches[len(switches) // 10].resident
    return [
        *heading("what", ["measured"]),
        row("reloads", [f"{len(switches)}"]),
        row("calls", [f"{len(answers):,}"]),
        row("calls that failed", [f"{sum(not answer.version for answer in answers)}"]),
        row("p99 ms outside switches", [f"{1000 * p99_outside:.1f}"]),
        row("p99 ms during switches", [f"{1000 * p99:.1f}"]),
        row("during over outside", [f"{p99 / p99_outside:.2f}"]),
        row("median ms outside switches", [f"{1000 * median:.1f}"]),
        row("first answers of new versions over that, median", [f"{np.median(firsts[1:]) / median:.2f}"]),
        row("resident MB after a tenth of the reloads", [f"{settled / 1e6:.1f}"]),
        row("resident MB in the end", [f"{switches[-1].resident / 1e6:.1f}"]),
        row("growth %", [f"{100 * (switches[-1].resident / settled - 1):.1f}"]),
    ]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
