"""Networks that vote together. A single model is an ensemble of one."""

from dataclasses import dataclass
from functools import cached_property

from protos.classification_pb2 import Vote
from serving.errors import ModelRejected
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
        return cls(servable.name, (Member(servable),), servable.card.vote)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Class names, in class order."""
        return tuple(self.members[0].servable.card.labels)

    @cached_property
    def weights(self) -> tuple[float, ...]:
        """One for each member."""
        return tuple(member.weight for member in self.members)
