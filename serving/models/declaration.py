"""What the directories of a repository cannot say by themselves: the file models.yaml beside them."""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from protos.classification_pb2 import Vote
from serving.errors import ModelRejected
from serving.models.engines.names import EngineName, PrecisionName
from serving.models.lifecycle.states import Availability

DECLARATION = "models.yaml"

VOTES: Mapping[str, Vote] = {
    "mean-probability": Vote.VOTE_MEAN_PROBABILITY,
    "mean-logit": Vote.VOTE_MEAN_LOGIT,
    "majority": Vote.VOTE_MAJORITY,
}


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Latest(_Declared):
    """The newest versions, so many."""

    latest: PositiveInt

    def of(self, usable: Set[int]) -> Set[int]:
        return set(sorted(usable, reverse=True)[: self.latest])


class Specific(_Declared):
    """Just these versions."""

    specific: list[PositiveInt] = Field(min_length=1)

    def of(self, usable: Set[int]) -> Set[int]:
        return usable & set(self.specific)


class TrialDeclaration(_Declared):
    """A version that is tried on a share of the calls that name none: by number, or by label."""

    version: PositiveInt | None = None
    label: str | None = None
    percent: float = Field(ge=0, le=100, allow_inf_nan=False)

    @model_validator(mode="after")
    def _is_one_version(self) -> "TrialDeclaration":
        if (self.version is None) == (self.label is None):
            raise ValueError(f"a trial names a version or a label, one of both; {self.version} and {self.label!r} came")
        return self

    def version_among(self, labels: Mapping[str, int]) -> int | None:
        """Which version that is; None where the label is given to none."""
        return self.version if self.label is None else labels.get(self.label)


class CanaryDeclaration(TrialDeclaration):
    """A version that answers such calls, until it does worse than it may."""

    max_error_rate: float = Field(0.01, ge=0, le=1, allow_inf_nan=False)
    """Of its calls, the share that may fail; as many as of the stable version's may, where that is more."""
    max_disagreement: float = Field(0.1, ge=0, le=1, allow_inf_nan=False)
    """Of the calls that are shadowed by it, the share to which it may say something else."""


class ModelDeclaration(_Declared):
    """How one model is served, where that is not what the server's settings say for all."""

    max_batch_size: PositiveInt | None = None
    """Rows that run together at most."""
    allowed_batch_sizes: list[PositiveInt] = []
    """Ascending, the last is `max_batch_size`; none for powers of two. A batch is padded to the next of them."""
    max_queue_rows: PositiveInt | None = None
    """Rows that may wait."""
    engine: EngineName | None = None
    """What runs it."""
    precision: PrecisionName | None = None
    """What that computes in."""
    allow_operations: list[str] = []
    """Operations that its graph may hold beside those that are safe; see engines/operations.py."""
    canary: CanaryDeclaration | None = None
    """The version that answers a share of the calls."""
    shadow: TrialDeclaration | None = None
    """The version that is asked a share of the calls once they are answered, and whose answers nobody gets."""
    versions: Latest | Specific | Literal["all"] = Latest(latest=1)
    """Which are served. Those that a label or an ensemble names are served too."""
    availability: Availability = "preserving"
    """What has precedence when versions change."""

    @model_validator(mode="after")
    def _sizes_ascend(self) -> "ModelDeclaration":
        sizes = self.allowed_batch_sizes
        if sizes != sorted(set(sizes)):
            raise ValueError(f"allowed_batch_sizes ascend, each once; {sizes} came")
        if sizes and self.max_batch_size not in (None, sizes[-1]):
            raise ValueError(f"the last of allowed_batch_sizes is max_batch_size; {sizes[-1]} is not")
        return self

    def wants(self, usable: Set[int]) -> Set[int]:
        """Which of the versions that could be served are."""
        return usable if self.versions == "all" else self.versions.of(usable)

    @property
    def of_loading(self) -> "ModelDeclaration":
        """What a version is loaded by, and has to be loaded again where it changes."""
        defaults, of_others = ModelDeclaration(), ("versions", "availability", "canary", "shadow")
        return self.model_copy(update={name: getattr(defaults, name) for name in of_others})


def on_trial(canary: TrialDeclaration | None, shadow: TrialDeclaration | None, labels: Mapping[str, int]) -> set[int]:
    """The versions that these name, which answer no other calls as long as another version is ready."""
    named = {trial.version_among(labels) for trial in (canary, shadow) if trial}
    return {version for version in named if version}


class MemberDeclaration(_Declared):
    """A model that votes: its newest version, unless one is named."""

    model: str
    version: PositiveInt | None = None
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)


class EnsembleDeclaration(_Declared):
    """An ensemble, as models.yaml declares it."""

    members: list[MemberDeclaration] = Field(min_length=1)
    vote: str = "mean-probability"
    quorum: PositiveInt | None = None
    """Members enough for an answer where others fail or are late; all of them, unless it is said."""
    patience_seconds: float = Field(0.5, ge=0, allow_inf_nan=False)
    """How long others are waited for once a quorum has answered."""

    @model_validator(mode="after")
    def _quorum_is_there(self) -> "EnsembleDeclaration":
        if self.quorum and self.quorum > len(self.members):
            raise ValueError(f"a quorum is at most the number of members, {len(self.members)}; {self.quorum} came")
        return self


class Declaration(_Declared):
    """The file models.yaml."""

    models: dict[str, ModelDeclaration] = {}
    ensembles: dict[str, EnsembleDeclaration] = {}
    labels: dict[str, dict[str, PositiveInt]] = {}
    """Model name to label to version."""

    def of_model(self, name: str) -> ModelDeclaration:
        """How `name` is served."""
        return self.models.get(name, ModelDeclaration())

    def pinned_versions(self, model: str) -> set[int]:
        """Versions of `model` that ensembles, labels or trials name."""
        declared, labels = self.of_model(model), self.labels.get(model, {})
        return self.voting_versions(model) | set(labels.values()) | on_trial(declared.canary, declared.shadow, labels)

    def voting_versions(self, model: str) -> set[int]:
        """Versions of `model` that ensembles name."""
        members = (member for ensemble in self.ensembles.values() for member in ensemble.members)
        return {member.version for member in members if member.model == model and member.version}


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
