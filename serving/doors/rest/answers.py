"""What a ClassifyResponse and a ListModelsResponse are in JSON: the proto's fields, with names for its enumerations.

Not protobuf's own JSON: there versions are strings, and the scores of many views hold up the event loop for far longer.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from protos import classification_pb2 as pb
from serving.doors.rest.names import STATES, VIEWS, VOTES, StateName, ViewsName, VoteName

_Views = Annotated[ViewsName, BeforeValidator(VIEWS.name)]
_Vote = Annotated[VoteName, BeforeValidator(VOTES.name)]
_State = Annotated[StateName, BeforeValidator(STATES.name)]


_ANSWER: dict[str, Any] = {
    "label": "7",
    "abstained": "",
    "predictions": [{"label": "7", "class_id": 7, "probability": 0.999}],
    "model_versions": [{"name": "lenet5-a", "version": 1}],
    "views": "ten",
    "vote": "mean-probability",
    "view_agreement": 1.0,
    "member_agreement": 1.0,
    "views_used": 10,
    "rows_used": 10,
    "absent_members": [],
    "timing": {"decode_seconds": 0.0002, "queue_seconds": 0.0001, "compute_seconds": 0.0008},
    "cached": False,
    "view_scores": [],
    "member_scores": [],
}
_CATALOGUE: dict[str, Any] = {
    "models": [
        {
            "name": "lenet5-a",
            "versions": [2, 1],
            "version_labels": {"production": 1},
            "members": [],
            "labels": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            "vote": "mean-probability",
            "version_statuses": [{"version": 2, "state": "available", "error": ""}],
            "canary": None,
            "shadow": None,
            "label_troubles": {},
        }
    ]
}


class _Message(BaseModel):
    """Read from the message of its name."""

    model_config = ConfigDict(from_attributes=True)


class Prediction(_Message):
    label: str
    class_id: int = Field(description="The index of the class in the model's labels.")
    probability: float = Field(description="From 0 to 1; over all classes of a model they add up to 1.")


class ModelVersion(_Message):
    name: str
    version: int


class AbsentMember(_Message):
    model_version: ModelVersion
    reason: str = Field(description="late or failed.")


class Scores(_Message):
    name: str = Field(description='"centre", "top left mirrored", ...; or the member\'s name.')
    probabilities: list[float] = Field(description="Of every class, in class order.")


class Timing(_Message):
    decode_seconds: float
    queue_seconds: float = Field(description="From entering the members' queues to the start of the last batch.")
    compute_seconds: float = Field(description="From there to the last member's scores.")


class Answer(_Message):
    """What won the vote, and how."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWER]})

    label: str = Field(description="The label that won; empty where the answer abstains.")
    abstained: str = Field(description="Why it does; empty where it does not.")
    predictions: list[Prediction] = Field(description="The top_k classes, most probable first.")
    model_versions: list[ModelVersion] = Field(description="Who answered; of an ensemble, each member's version.")
    views: _Views
    vote: _Vote
    view_agreement: float = Field(description="Of all views, the share whose best class is the winner.")
    member_agreement: float = Field(description="The share of members that would have named the winner alone.")
    views_used: int = Field(description="How many views voted.")
    rows_used: int = Field(description="Rows computed for this answer, over all members.")
    absent_members: list[AbsentMember] = Field(description="Members of a quorum that failed or were late.")
    timing: Timing
    cached: bool = Field(description="Whether the answer was given before, to the same question.")
    view_scores: list[Scores] = Field(description="Filled where the request asked for them.")
    member_scores: list[Scores] = Field(description="Filled where the request asked for them.")


class Member(_Message):
    model_version: ModelVersion
    weight: float = Field(description="Relative to the other members'.")


class Canary(_Message):
    """A version on trial."""

    version: int
    stable_version: int = Field(description="The version that answers the rest.")
    percent: float = Field(description="Of the calls that name no version, from 0 to 100.")
    calls: int = Field(description="Since the trial began.")
    failed: int
    stable_calls: int
    stable_failed: int
    pairs: int = Field(description="Pictures that it was asked of as a shadow too.")
    disagreed: int = Field(description="Of those, on how many it did not name the stable version's winner.")
    rolled_back: str = Field(description="Why it gets no more calls; empty while it does.")


class Shadow(_Message):
    """A version that is only compared."""

    version: int
    stable_version: int = Field(description="The version that callers are answered by.")
    percent: float = Field(description="Of the calls that this answers, from 0 to 100.")
    pairs: int = Field(description="Pictures that both were asked about since the trial began.")
    disagreed: int = Field(description="Of those, on how many it named another winner, or failed.")


class VersionStatus(_Message):
    version: int
    state: _State
    error: str = Field(description="Why it is not served, or not as models.yaml says; empty where there is nothing.")


class Model(_Message):
    name: str
    versions: list[int] = Field(description="Ready, newest first. Empty for an ensemble.")
    version_labels: dict[str, int] = Field(description="Names given to versions.")
    members: list[Member] = Field(description="For an ensemble: who votes. Empty for a model.")
    labels: list[str] = Field(description="Class names, in class order.")
    vote: _Vote = Field(description="The vote taken where a request names none.")
    version_statuses: list[VersionStatus] = Field(description="Every version that is known, newest first.")
    canary: Canary | None = Field(description="A version that answers a share of the calls; null without one.")
    shadow: Shadow | None = Field(description="A version that is asked too, and only compared; null without one.")
    label_troubles: dict[str, str] = Field(description="Labels that are not where they are wanted, and why.")

    @field_validator("canary", "shadow", mode="before")
    @classmethod
    def _is_there(cls, trial: pb.Canary | pb.Shadow) -> pb.Canary | pb.Shadow | None:
        return trial if trial.version else None


class Catalogue(_Message):
    """Everything that can be asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CATALOGUE]})

    models: list[Model] = Field(description="In order of name.")
