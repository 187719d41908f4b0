"""The fields of a ClassifyRequest as a query or a form has them."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protos import classification_pb2 as pb
from serving.doors.http_statuses import misshapen
from serving.doors.rest.names import PRIORITIES, VIEWS, VOTES, PriorityName, ViewsName, VoteName
from serving.errors import InvalidRequest

_Name = Annotated[str, Field(max_length=256)]
_NUMBER = r"[0-9]*\.?[0-9]+"
_Box = Annotated[str, Field(max_length=100, pattern=rf"^{_NUMBER}(,{_NUMBER}){{3}}$")]


class Question(BaseModel):
    """How to classify a picture."""

    model_config = ConfigDict(extra="forbid")

    model: _Name = Field("", description="A model or an ensemble. Left out: the only ensemble, or else the only model.")
    version: int | None = Field(
        None, ge=1, lt=2**63, description="Of the model. Left out: the newest that is ready, or that of the label."
    )
    version_label: _Name | None = Field(None, description='A name given to a version, such as "production".')
    views: ViewsName | None = Field(
        None, description="Which views of the picture vote. Left out: single, or boxes where there are any."
    )
    vote: VoteName | None = Field(None, description="Left out: the one that the model was measured with.")
    top_k: int | None = Field(
        None, ge=1, lt=2**32, description="How many predictions. Left out: 5, or all classes of a model with fewer."
    )
    min_confidence: float = Field(
        0.0, ge=0, le=1, description="Where the winner's probability is below it, the answer abstains."
    )
    min_views: ViewsName | None = Field(
        None, description="The fewest views that are better than to be refused or late. Left out: all of `views`."
    )
    priority: PriorityName = Field("interactive", description="bulk where nobody waits for the answer.")
    adaptive: bool = Field(
        False, description="No more views and members than it takes until the vote is decided, where calibrated."
    )
    routing_key: str = Field(
        "",
        max_length=256,
        description="Calls with the same key are answered by the same version, where a model has a canary.",
    )
    with_view_scores: bool = Field(False, description="Also what each view would have answered alone.")
    with_member_scores: bool = Field(False, description="Also what each member would have answered alone.")
    box: list[_Box] = Field(
        [],
        description="A part of the upright picture to look at: top,left,bottom,right as fractions of its height and "
        "width. May be given 150 times.",
    )

    def about(self, picture: bytes) -> pb.ClassifyRequest:
        """The message that asks so about a picture file. Raises InvalidRequest where two fields exclude each other."""
        if self.version is not None and self.version_label is not None:
            raise InvalidRequest(
                "A version is named by number or by label; both came. Leave out `version` or `version_label`."
            )
        return pb.ClassifyRequest(
            model=pb.ModelSpec(name=self.model, version=self.version, version_label=self.version_label),
            encoded=picture,
            views=VIEWS.number(self.views or ("boxes" if self.box else None)),
            vote=VOTES.number(self.vote),
            top_k=self.top_k,
            min_confidence=self.min_confidence,
            min_views=VIEWS.number(self.min_views),
            priority=PRIORITIES.number(self.priority),
            adaptive=self.adaptive,
            routing_key=self.routing_key,
            with_view_scores=self.with_view_scores,
            with_member_scores=self.with_member_scores,
            boxes=[pb.Box(**dict(zip(_SIDES, map(float, box.split(",")), strict=True))) for box in self.box],
        )


_SIDES = ("top", "left", "bottom", "right")


def question_of(fields: Iterable[tuple[str, str]]) -> Question:
    """The question that these fields, in any order, make up. Raises InvalidRequest where one is unknown, out of its
    range, or given twice.
    """
    given: dict[str, Any] = {}
    for name, value in fields:
        if name == "box":
            given.setdefault(name, []).append(value)
        elif name in given:
            raise InvalidRequest(f"A field is given once, in the query or in the form; {name[:40]} came twice.")
        else:
            given[name] = value
    try:
        return Question.model_validate(given)
    except ValidationError as error:
        raise misshapen(error.errors()) from error
