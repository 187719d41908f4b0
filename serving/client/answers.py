"""What a server says, as a caller reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from protos import classification_pb2 as pb
from serving.client.failures import raised_by_item


@dataclass(frozen=True)
class Prediction:
    """A class and its probability, from 0 to 1."""

    label: str
    class_id: int
    probability: float


@dataclass(frozen=True)
class Answer:
    """What the server says of one picture."""

    predictions: tuple[Prediction, ...]
    """The most probable first."""
    model_versions: Mapping[str, int]
    """Who answered: one model, or the members of an ensemble."""
    views: str
    vote: str
    abstained: str
    """Why the answer names no label; empty where it names the winner's."""
    views_used: int
    """How many views voted: fewer than `views` are where an adaptive vote was decided early."""
    rows_used: int
    """Computed for this answer, over all members."""
    absent_members: Mapping[str, str]
    """Members without whom the vote was held, and why: "late" or "failed"."""
    view_agreement: float
    """Of all views of all members, by weight, the share whose best class is the winner: from 0 to 1."""
    member_agreement: float
    """By weight, the share of members that would have named the winner alone."""
    decode_seconds: float
    queue_seconds: float
    compute_seconds: float
    cached: bool
    """Whether the vote was held before, over the same picture and question; the times are 0 then."""
    view_scores: Mapping[str, tuple[float, ...]]
    """View name to the probability of every class, where asked for; so are `member_scores`, by member."""
    member_scores: Mapping[str, tuple[float, ...]]

    @property
    def label(self) -> str:
        """The label that won; empty where the answer abstains."""
        return "" if self.abstained else self.predictions[0].label

    @property
    def probability(self) -> float:
        """The winner's."""
        return self.predictions[0].probability


@dataclass(frozen=True)
class Canary:
    """A version on trial, which answers a share of the calls."""

    version: int
    stable_version: int
    """The version that answers the rest."""
    percent: float
    """Of the calls that name no version."""
    calls: int
    """Since the trial began, as the other counts."""
    failed: int
    stable_calls: int
    stable_failed: int
    pairs: int
    """Pictures that it was asked of as a shadow too."""
    disagreed: int
    """Of those, on how many it did not name the stable version's winner."""
    rolled_back: str
    """Why it gets no more calls; empty while it does."""


@dataclass(frozen=True)
class Shadow:
    """A version that is asked a share of the calls too, and only compared."""

    version: int
    stable_version: int
    """The version that callers are answered by."""
    percent: float
    """Of the calls that this answers."""
    pairs: int
    """Pictures that both were asked about since the trial began."""
    disagreed: int
    """Of those, on how many it named another winner, or failed."""


@dataclass(frozen=True)
class Model:
    """Something that can be asked: a model with versions, or an ensemble with members. A model of which no version
    could be loaded has neither.
    """

    name: str
    versions: tuple[int, ...]
    version_labels: Mapping[str, int]
    members: Mapping[str, int]
    """Member name to version; empty for a model."""
    labels: tuple[str, ...]
    vote: str
    failures: Mapping[int, str]
    """Versions that could not be loaded, and why."""
    label_troubles: Mapping[str, str]
    """Labels that are not where they are wanted, and why."""
    canary: Canary | None = None
    shadow: Shadow | None = None


Trial = TypeVar("Trial", Canary, Shadow)


def answer_of(response: pb.ClassifyResponse) -> Answer:
    """What a response says."""
    return Answer(
        predictions=tuple(Prediction(each.label, each.class_id, each.probability) for each in response.predictions),
        model_versions={each.name: each.version for each in response.model_versions},
        views=_named(pb.Views, "VIEWS_", response.views),
        vote=_named(pb.Vote, "VOTE_", response.vote),
        abstained=response.abstained,
        views_used=response.views_used,
        rows_used=response.rows_used,
        absent_members={each.model_version.name: each.reason for each in response.absent_members},
        view_agreement=response.view_agreement,
        member_agreement=response.member_agreement,
        decode_seconds=response.timing.decode_seconds,
        queue_seconds=response.timing.queue_seconds,
        compute_seconds=response.timing.compute_seconds,
        cached=response.cached,
        view_scores={each.name: tuple(each.probabilities) for each in response.view_scores},
        member_scores={each.name: tuple(each.probabilities) for each in response.member_scores},
    )


def outcome(item: pb.ClassifyStreamResponse) -> Answer:
    """What an item of a stream says. Raises what a failed call would, naming the picture."""
    if item.HasField("response"):
        return answer_of(item.response)
    raise raised_by_item(item.id, item.error)


def model_of(model: pb.Model) -> Model:
    """What a server says of a model."""
    return Model(
        name=model.name,
        versions=tuple(model.versions),
        version_labels=dict(model.version_labels),
        members={each.model_version.name: each.model_version.version for each in model.members},
        labels=tuple(model.labels),
        vote=_named(pb.Vote, "VOTE_", model.vote) if model.vote else "",
        failures={each.version: each.error for each in model.version_statuses if each.error},
        label_troubles=dict(model.label_troubles),
        canary=_trial(Canary, model.canary) if model.HasField("canary") else None,
        shadow=_trial(Shadow, model.shadow) if model.HasField("shadow") else None,
    )


def _trial(kind: type[Trial], message: pb.Canary | pb.Shadow) -> Trial:
    """What `message` says, whose fields are those of `kind`."""
    return kind(**{field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields})


def _named(enum, prefix: str, number: int) -> str:
    return enum.Name(number).removeprefix(prefix).replace("_", "-").lower()
