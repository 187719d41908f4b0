"""The door for protos/classification.proto over HTTP: a picture in, JSON out."""

import asyncio
import math
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from protos import classification_pb2 as pb
from serving.doors.answering import Answering
from serving.doors.http_statuses import REFUSALS, as_response
from serving.doors.messages import to_list
from serving.doors.rest.answers import Answer, Catalogue
from serving.doors.rest.description import CLASSIFY, TIMEOUT
from serving.doors.rest.pictures import picture_and_fields
from serving.doors.rest.questions import question_of
from serving.doors.statuses import Refusal
from serving.errors import DeadlinePassed, InvalidRequest
from serving.models.repository import Repository

METHOD = "POST /v1/classify"
"""As metrics call it."""


def classify_router(answering: Answering, repository: Repository, clock: Callable[[], float]) -> APIRouter:
    """POST /v1/classify and GET /v1/catalogue."""
    router = APIRouter(prefix="/v1", tags=["Classification"])

    @router.post("/classify", response_model=None, responses={200: {"model": Answer}, **REFUSALS}, **CLASSIFY)
    async def classify(request: Request) -> Response:
        """Classifies one picture."""
        asked: pb.ClassifyRequest | InvalidRequest
        seconds = None
        try:
            picture, fields = await picture_and_fields(request)
            seconds = _seconds(request.headers.get(TIMEOUT))
            asked = question_of([*request.query_params.multi_items(), *fields]).about(picture)
        except InvalidRequest as error:
            asked = error
        deadline = math.inf if seconds is None else clock() + seconds
        try:
            outcome = await asyncio.wait_for(answering.outcome(METHOD, asked, deadline), seconds)
        except asyncio.TimeoutError:
            raise DeadlinePassed(f"The answer was wanted within {seconds:g} seconds; it took longer.") from None
        if isinstance(outcome, Refusal):
            return as_response(outcome)
        return _json(Answer.model_validate(outcome))

    @router.get("/catalogue", response_model=None, responses={200: {"model": Catalogue}})
    async def catalogue() -> Response:
        """Lists what is served, models and ensembles alike."""
        return _json(Catalogue.model_validate(to_list(repository)))

    return router


def _json(body: Answer | Catalogue) -> Response:
    return Response(body.model_dump_json(), media_type="application/json")


def _seconds(timeout: str | None) -> float | None:
    """The header's value. Raises InvalidRequest where it is no number of seconds."""
    if timeout is None:
        return None
    try:
        seconds = float(timeout)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidRequest(f"{TIMEOUT} is a number above 0, such as 0.5; {timeout[:40]!r} came.")
    return seconds
