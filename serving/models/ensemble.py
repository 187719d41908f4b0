"""Networks that vote together. A single model is an ensemble of one."""

from dataclasses import dataclass, replace
from functools import cached_property

from protos.classification_pb2 import Views, Vote
from protos.model_card_pb2 import AdaptiveVote
from serving.errors import InvalidRequest, ModelRejected
from serving.models.servable import Servable


@dataclass(frozen=True)
class Member:
    """A servable and the weight of its vote."""

    servable: Servable
    weight: float = 1.0


@dataclass(frozen=True)
class Ensemble:
    """Who votes under one name, and by which vote where a request names none.

    Raises ModelRejected where a model is a member twice, or the members do not have the same labels in the
    same order.
    """

    name: str
    members: tuple[Member, ...]
    vote: Vote
    adaptive_votes: tuple[AdaptiveVote, ...] = ()
    """How votes of just these members may end early."""
    quorum: int = 0
    """Members enough for an answer where others fail or are late; 0 for all."""
    patience_seconds: float = 0.0
    """How long others are waited for once a quorum has answered."""

    def __post_init__(self) -> None:
        names = [member.servable.name for member in self.members]
        if len(set(names)) < len(names):
            raise ModelRejected(
                f"A model is a member of an ensemble once; {self.name!r} has {', '.join(names)}. "
                "Give it a weight instead, or publish the other version under a name of its own."
            )
        first, *others = self.members
        for other in others:
            if other.servable.card.labels != first.servable.card.labels:
                raise ModelRejected(
                    f"Members of an ensemble have the same labels in the same order; in {self.name!r}, "
                    f"{other.servable.name!r} and {first.servable.name!r} differ. Retrain one with the other's labels."
                )

    @classmethod
    def of(cls, servable: Servable) -> "Ensemble":
        """A model alone, with the vote it was measured with."""
        card = servable.card
        return cls(servable.name, (Member(servable),), card.vote, tuple(card.adaptive_votes))

    def adaptive_vote(self, views: Views, vote: Vote) -> AdaptiveVote | None:
        """How the vote over `views` may end early; None where that was not found out."""
        return next((each for each in self.adaptive_votes if (each.views, each.vote) == (views, vote)), None)

    @property
    def ails(self) -> str:
        """Why it cannot answer now, as far as is known; empty where it can."""
        ailing = {member.servable.name: ails for member in self.members if (ails := member.servable.ails)}
        if len(self.members) - len(ailing) >= (self.quorum or len(self.members)):
            return ""
        return "; ".join(f"{name} {ails}" for name, ails in ailing.items())

    @cached_property
    def dense(self) -> "Ensemble":
        """The same members, each run as fully convolutional over whole canvases.

        Raises InvalidRequest where one was not exported for that.
        """
        without = [member.servable.name for member in self.members if member.servable.dense is None]
        if without:
            raise InvalidRequest(
                f"Dense views are of models that were exported with a fully convolutional form; {', '.join(without)} "
                "has none. Ask for other views, VIEWS_GRID say, or publish it again where its layers take pictures of "
                "any size."
            )
        everywhere = tuple(
            replace(member, servable=member.servable.dense) for member in self.members if member.servable.dense
        )
        return replace(self, members=everywhere)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Class names, in class order."""
        return tuple(self.members[0].servable.card.labels)
