"""A version is asked again what callers asked its model, before it answers any."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from protos import classification_pb2 as pb
from protos.request_log_pb2 import RecordedCall
from serving.errors import InvalidRequest, TencropError
from serving.metrics import Metrics
from serving.models.catalogue import ServedModel
from serving.models.repository import Repository
from serving.models.servable import Servable
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from serving.request_log.names import all_files
from serving.request_log.reading import calls_in

log = logging.getLogger(__name__)

MAX_CALLS = 100
MAX_SECONDS = 5.0
"""After which no further call is read or asked."""


@dataclass
class _Tally:
    asked: int = 0
    without_picture: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.asked + self.without_picture + len(self.failures)


def warm_up(servable: Servable, directory: Path, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
    """Asks `servable`, which is not served yet, through a pipeline of its own what its model answered by the request
    log in `directory`: at most MAX_CALLS, those of the newest file first. Blocks, for about MAX_SECONDS at most.

    Whatever is wrong with the log is logged, and keeps no version from being served.
    """
    who, tally = f"{servable.name} version {servable.version}", _Tally()
    try:
        asyncio.run(_ask(servable, directory, limits, clock, tally))
    except (OSError, InvalidRequest) as error:
        log.warning("%s is not warmed up with all calls of a log: %s", who, error)
    log.info("%s: warmed up with %s calls of the log %s", who, tally.asked, directory)
    if tally.without_picture:
        log.warning(
            "%s is warmed up with calls that were kept with their pictures; %s in %s were not. "
            "Keep them with --request-log-pictures bytes.",
            who,
            tally.without_picture,
            directory,
        )
    if tally.failures:
        log.warning("%s does not answer %s calls of the log: %s", who, len(tally.failures), tally.failures[0])


async def _ask(servable: Servable, directory: Path, limits: Limits, clock: Callable[[], float], tally: _Tally) -> None:
    alone = Repository({servable.name: ServedModel(servable.name, {servable.version: servable})}, {})
    # What these calls are and how long they take is not to be counted among callers'.
    classifier = Classifier(alone, limits, Metrics(), clock, decoding_threads=1)
    until = clock() + MAX_SECONDS
    try:
        for call in _newest_first(directory):
            if tally.seen >= MAX_CALLS or clock() >= until:
                return
            if _answered_by(servable.name, call):
                await _ask_again(call, servable.name, classifier, tally)
    finally:
        classifier.close()


async def _ask_again(call: RecordedCall, model: str, classifier: Classifier, tally: _Tally) -> None:
    if not call.request.WhichOneof("picture"):
        tally.without_picture += 1
        return
    request = pb.ClassifyRequest()
    request.CopyFrom(call.request)
    request.model.CopyFrom(pb.ModelSpec(name=model))
    try:
        await classifier.classify(request, math.inf)
        tally.asked += 1
    except TencropError as error:
        tally.failures.append(str(error))


def _newest_first(directory: Path) -> Iterator[RecordedCall]:
    for path in reversed(all_files(directory)):
        yield from calls_in(path)


def _answered_by(model: str, call: RecordedCall) -> bool:
    """Alone, or as a member of an ensemble."""
    return any(each.name == model for each in call.response.model_versions)
