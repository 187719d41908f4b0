"""Asks models about every picture of a data set, through the very code that answers in production."""

import asyncio
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from protos.classification_pb2 import ClassifyRequest, ModelSpec, Tensor, Views, Vote
from protos.model_card_pb2 import ModelCard
from serving.metrics import Metrics
from serving.models import card as cards
from serving.models.dense import open_dense
from serving.models.engines.loading import measured_with
from serving.models.engines.tensorflow import dense_engine
from serving.models.ensemble import Ensemble
from serving.models.ensemble import Member as ServedMember
from serving.models.repository import Repository
from serving.models.servable import Batching, Servable
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from serving.pipeline.plans import OF_THE_TEN, PLANS
from serving.pipeline.room import Bounds
from training.data import DataSet
from training.data.encoded import Encoded
from training.errors import DataUnusable
from training.evaluation.scores import Scores
from training.evaluation.tally import Tally
from training.publishing import newest_version

__all__ = ["Member", "Scores", "Tally", "count_votes", "measure", "open_member"]

# On the way at once: they keep the batches full, and fit the queue.
_PICTURES, _VIEWS = 64, 640
# So no other bounds are needed; large pictures would not fit a server's.
_OWN_BOUNDS = Bounds(pixels=sys.maxsize, bytes=sys.maxsize)
# Of whole canvases: each is a batch, and one is laid out while another is computed.
_CANVASES = 2
_NAME = "evaluated"


class Member(NamedTuple):
    """A model to be measured."""

    card: ModelCard
    engine: cards.Engine
    dense: cards.Engine | None = None
    """What runs its network as fully convolutional, where it was exported for that."""


def open_member(directory: Path) -> Member:
    """The model at `directory`, which is models/NAME/VERSION, or models/NAME for its newest version.

    Raises ModelRejected where it does not match its card.
    """
    directory = newest_version(directory) or directory
    card = cards.read(directory)
    engine = cards.validate(card, directory, measured_with)
    return Member(card, engine, open_dense(card, directory, dense_engine))


def check_labels(card: ModelCard, data: DataSet) -> None:
    """Raises DataUnusable where the model of `card` has other classes than `data`."""
    if tuple(card.labels) != data.labels:
        raise DataUnusable(
            f"A model is measured on pictures of its own classes; {card.name!r} knows {', '.join(card.labels)}, and "
            f"{data.name} has {', '.join(data.labels)}. Name its data set."
        )


def measure(members: Sequence[Member], data: DataSet, views: Views = Views.VIEWS_TEN) -> Scores:
    """Asks all `members` about every picture of `data` to measure on, and keeps all that they say.

    Raises DataUnusable where a member has other labels than the data, ModelRejected where
    members differ in theirs.
    """
    shape = (len(data.test), len(members), len(PLANS[views]), len(data.labels))
    logits = np.empty(shape, np.float32)
    _ask(members, data, views, logits.__setitem__)
    return Scores(_title(data), logits, data.test.class_ids)


def count_votes(
    members: Mapping[str, Member],
    data: DataSet,
    vote_name: str = "mean-probability",
    plans: Sequence[Views] = OF_THE_TEN,
    weights: Sequence[float] | None = None,
) -> Tally:
    """Asks all `members` about every picture of `data` to measure on, and keeps how the votes went, by the vote
    called `vote_name`, with each choice of views in `plans`. A member weighs 1, or as `weights` say.

    Raises what `measure` raises, and ValueError where no choice of views has all those of `plans`.
    """
    weighed = dict(zip(members, weights or [1.0] * len(members), strict=True))
    tally = Tally(_title(data), data.labels, data.test.class_ids, weighed, vote_name, plans)
    _ask(list(members.values()), data, tally.asked, tally.add)
    return tally


def _title(data: DataSet) -> str:
    return f"{data.name} {data.test_name}"


def _ask(
    members: Sequence[Member], data: DataSet, views: Views, keep: Callable[[int, NDArray[np.float32]], None]
) -> None:
    """Calls `keep` with each picture's index and float32 [members, views, classes], in no certain order."""
    for member in members:
        check_labels(member.card, data)
    terminal = Console(stderr=True)
    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task(f"Measuring on {_title(data)}", total=len(data.test))

        def kept(index: int, logits: NDArray[np.float32]) -> None:
            keep(index, logits)
            bar.advance(task)

        asyncio.run(_classify(members, data, views, kept))


async def _classify(
    members: Sequence[Member], data: DataSet, views: Views, keep: Callable[[int, NDArray[np.float32]], None]
) -> None:
    metrics = Metrics()
    observer = metrics.queue_observer(_NAME, 0)
    servables = [
        Servable(f"{card.name} #{index}", 0, card, engine, Batching.of(), time.monotonic, observer, dense)
        for index, (card, engine, dense) in enumerate(members, 1)
    ]
    voters = tuple(ServedMember(servable) for servable in servables)
    repository = Repository({}, {_NAME: Ensemble(_NAME, voters, Vote.VOTE_MEAN_PROBABILITY)})
    classifier = Classifier(repository, Limits(), metrics, time.monotonic, decoding_threads=2, bounds=_OWN_BOUNDS)
    # One pass over the pictures, shared: each is fetched when its turn comes, for all of them would not fit in memory.
    pictures = zip(range(len(data.test)), _as_served(data.test.images), strict=True)

    async def ask() -> None:
        for index, picture in pictures:
            keep(index, (await classifier.classify(_request(picture, views), math.inf)).polled.logits)

    crops_at_once = max(1, min(_PICTURES, _VIEWS // len(PLANS[views])))
    try:
        await asyncio.gather(*[ask() for _ in range(_CANVASES if views == Views.VIEWS_DENSE else crops_at_once)])
    finally:
        classifier.close()
        for servable in servables:
            await servable.close()


def _as_served(images: Iterable[NDArray[np.uint8]]) -> Iterable[bytes | NDArray[np.uint8]]:
    """Files as they are: serving decodes a large one no larger than it needs, and is measured with that."""
    return map(images.contents, range(len(images))) if isinstance(images, Encoded) else images


def _request(picture: bytes | NDArray[np.uint8], views: Views) -> ClassifyRequest:
    model = ModelSpec(name=_NAME)
    if isinstance(picture, bytes):
        return ClassifyRequest(model=model, encoded=picture, views=views)
    tensor = Tensor(data_type=Tensor.DATA_TYPE_UINT8, shape=picture.shape, content=picture.tobytes())
    return ClassifyRequest(model=model, tensor=tensor, views=views)
