"""Top-1 and top-5 errors by view and by member, through the very code that answers in production."""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from protos.classification_pb2 import ClassifyRequest, ModelSpec, Tensor, Views, Vote
from protos.model_card_pb2 import Measurement, ModelCard
from serving.metrics import Metrics
from serving.models import card as cards
from serving.models.engines.tensorflow import TensorFlowEngine
from serving.models.ensemble import VOTES, Ensemble
from serving.models.ensemble import Member as ServedMember
from serving.models.repository import Repository
from serving.models.servable import Batching, Servable
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from serving.pipeline.views import PLANS
from serving.pipeline.voting import vote
from training.data import DataSet
from training.errors import DataUnusable
from training.publishing import newest_version

# Pictures on the way at once: with ten views each they keep the batches full, and fit the queue.
_IN_FLIGHT = 64
_NAME = "evaluated"


class Member(NamedTuple):
    """A model to be measured."""

    card: ModelCard
    engine: cards.Engine


class Errors(NamedTuple):
    """Fractions of pictures whose class was not the winner, and not among the best five."""

    top_1: float
    top_5: float | None
    """None where there are five classes or fewer."""


@dataclass(frozen=True)
class Scores:
    """What members say of each picture of a data set, view by view."""

    data_set: str
    logits: NDArray[np.float32]
    """float32 [pictures, members, ten views, classes], after each member's temperature."""
    class_ids: NDArray[np.int32]
    """int32 [pictures], the truth."""

    def of(self, member: int) -> "Scores":
        """Those of one member, as if it were alone."""
        return Scores(self.data_set, self.logits[:, member : member + 1], self.class_ids)

    def errors(self, views: Views, rule: Vote = Vote.VOTE_MEAN_PROBABILITY) -> Errors:
        """The errors of all members voting together, with equal weights."""
        chosen = [PLANS[Views.VIEWS_TEN].index(view) for view in PLANS[views]]
        weights = [1.0] * self.logits.shape[1]
        rankings = np.stack([vote(logits, rule, weights).ranking for logits in self.logits[:, :, chosen]])
        misses = rankings != self.class_ids[:, None]
        top_5 = float(misses[:, :5].all(axis=1).mean()) if misses.shape[1] > 5 else None
        return Errors(float(misses[:, 0].mean()), top_5)

    def measurements(self) -> Iterator[Measurement]:
        """The errors with each choice of views, in the card's words."""
        for views in PLANS:
            errors = self.errors(views)
            yield Measurement(
                data_set=self.data_set,
                pictures=len(self.class_ids),
                views=views,
                vote=Vote.VOTE_MEAN_PROBABILITY,
                top_1_error=errors.top_1,
                top_5_error=errors.top_5,
            )


def table(scores: Scores, names: Sequence[str], vote_name: str) -> Table:
    """Errors in percent, top-1 and (of more than five classes) top-5: a row for each member alone and,
    of several, one for all together; a column for each choice of views.
    """
    kind = "top-1 error" if scores.errors(Views.VIEWS_SINGLE).top_5 is None else "top-1 / top-5 error"
    shown = Table(title=f"{scores.data_set}, {len(scores.class_ids)} pictures, {vote_name}; {kind} in %")
    shown.add_column("", overflow="fold")
    for views in PLANS:
        shown.add_column(Views.Name(views).removeprefix("VIEWS_").lower(), justify="right")
    for index, name in enumerate(names):
        shown.add_row(name, *_cells(scores.of(index), vote_name))
    if len(names) > 1:
        shown.add_section()
        shown.add_row(f"all {len(names)}", *_cells(scores, vote_name))
    return shown


def _cells(scores: Scores, vote_name: str) -> list[str]:
    errors = [scores.errors(views, VOTES[vote_name]) for views in PLANS]
    return [" / ".join(f"{100 * error:.2f}" for error in pair if error is not None) for pair in errors]


def open_member(directory: Path) -> Member:
    """The model at `directory`, which is models/NAME/VERSION, or models/NAME for its newest version.

    Raises ModelRejected where it does not match its card.
    """
    directory = newest_version(directory) or directory
    card = cards.read(directory)
    return Member(card, cards.validate(card, directory, TensorFlowEngine))


def measure(members: Sequence[Member], data: DataSet) -> Scores:
    """Asks all `members` about every picture of `data` to measure on.

    Raises DataUnusable where a member has other labels than the data, ModelRejected where
    members differ in theirs.
    """
    for member in members:
        if tuple(member.card.labels) != data.labels:
            raise DataUnusable(
                f"A model is measured on pictures of its own classes; {member.card.name!r} knows "
                f"{', '.join(member.card.labels)}, and {data.name} has {', '.join(data.labels)}. Name its data set."
            )
    logits = asyncio.run(_ask(members, data))
    return Scores(f"{data.name} {data.test_name}", logits, data.test.class_ids)


async def _ask(members: Sequence[Member], data: DataSet) -> NDArray[np.float32]:
    metrics = Metrics()
    observer = metrics.queue_observer(_NAME, 0)
    servables = [
        Servable(f"{_NAME}-{index}", 0, *member, Batching(), time.monotonic, observer)
        for index, member in enumerate(members)
    ]
    voters = tuple(ServedMember(servable) for servable in servables)
    repository = Repository({}, {_NAME: Ensemble(_NAME, voters, Vote.VOTE_MEAN_PROBABILITY)})
    classifier = Classifier(repository, Limits(), metrics, time.monotonic, decoding_threads=2)
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def ask(index: int) -> NDArray[np.float32]:
        async with room:  # fetched inside: a directory's pictures, all decoded at once, would not fit in memory
            return (await classifier.classify(_request(data.test.images[index]), math.inf)).logits

    try:
        return np.stack(await asyncio.gather(*[ask(index) for index in range(len(data.test))]))
    finally:
        classifier.close()
        for servable in servables:
            await servable.close()


def _request(image: NDArray[np.uint8]) -> ClassifyRequest:
    tensor = Tensor(data_type=Tensor.DATA_TYPE_UINT8, shape=image.shape, content=image.tobytes())
    return ClassifyRequest(model=ModelSpec(name=_NAME), tensor=tensor, views=Views.VIEWS_TEN)
