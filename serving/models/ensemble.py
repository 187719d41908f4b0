"""Networks that vote together, and how they are declared. A single model is an ensemble of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from protos.classification_pb2 import Vote
from serving.errors import ModelRejected
from serving.models.servable import Servable

DECLARATION = "models.yaml"

VOTES: Mapping[str, Vote] = {
    "mean-probability": Vote.VOTE_MEAN_PROBABILITY,
    "mean-logit": Vote.VOTE_MEAN_LOGIT,
    "majority": Vote.VOTE_MAJORITY,
}


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemberDeclaration(_Declared):
    """A model that votes: its newest version, unless one is named."""

    model: str
    version: PositiveInt | None = None
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)


class EnsembleDeclaration(_Declared):
    """An ensemble, as models.yaml declares it."""

    members: list[MemberDeclaration] = Field(min_length=1)
    vote: str = "mean-probability"


class Declaration(_Declared):
    """What the directories of a repository cannot say by themselves: the file models.yaml beside them."""

    ensembles: dict[str, EnsembleDeclaration] = {}
    labels: dict[str, dict[str, PositiveInt]] = {}
    """Model name to label to version."""

    def pinned_versions(self, model: str) -> set[int]:
        """Versions of `model` that have to be loaded whatever the newest is."""
        members = (member for ensemble in self.ensembles.values() for member in ensemble.members)
        of_members = {member.version for member in members if member.model == model and member.version}
        return of_members | set(self.labels.get(model, {}).values())


def read_declaration(root: Path) -> Declaration:
    """The declaration of the repository at `root`; an empty one where the file is missing.

    Raises ModelRejected where it is not one.
    """
    path = root / DECLARATION
    if not path.exists():
        return Declaration()
    try:
        declaration = Declaration.model_validate(yaml.safe_load(path.read_text()) or {})
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError) as error:
        raise ModelRejected(f"{path} declares ensembles and labels; it cannot be read: {error}") from error
    for name, ensemble in declaration.ensembles.items():
        if ensemble.vote not in VOTES:
            raise ModelRejected(f"A vote is one of {list(VOTES)}; ensemble {name!r} in {path} has {ensemble.vote!r}.")
    return declaration


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
