"""The Open Inference Protocol over HTTP."""

import math
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from google.protobuf import json_format
from google.protobuf.message import Message

from protos import open_inference_pb2 as pb
from serving.aside import MANY_BYTES, aside
from serving.doors.drain import STOPPING, Drain
from serving.doors.http_statuses import refusal
from serving.doors.open_inference import descriptions, models
from serving.doors.open_inference.inference import Inference
from serving.doors.open_inference.json_bodies import Binary, body_of, question_in
from serving.doors.open_inference.json_tensors import JSON_LENGTH
from serving.doors.open_inference.question import Question, Reply, model_spec
from serving.doors.open_inference.statistics import Statistics
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest, Unavailable
from serving.models.repository import Repository

METHOD = "POST /v2/infer"
"""As metrics call it, whichever model is asked."""

_MODEL = ("/models/{model}", "/models/{model}/versions/{version}")


def open_inference_router(
    inference: Inference, statistics: Statistics, repository: Repository, drain: Drain
) -> APIRouter:
    """/v2 and all below it. Not in our OpenAPI document: the protocol has its own."""
    router = APIRouter(prefix="/v2", include_in_schema=False)
    _tell_of_server(router, drain)
    _tell_of_models(router, statistics, repository)
    _infer(router, inference)
    return router


def _tell_of_server(router: APIRouter, drain: Drain) -> None:
    @router.get("")
    async def server() -> Response:
        return JSONResponse(_as_json(models.server()))

    @router.get("/health/live")
    async def live() -> Response:
        return JSONResponse({"live": True})

    @router.get("/health/ready")
    async def ready() -> Response:
        return refusal(STOPPING) if drain.stopping.is_set() else JSONResponse({"ready": True})

    @router.post("/repository/models/{model}/load")
    @router.post("/repository/models/{model}/unload")
    async def load(model: str) -> Response:
        raise models.elsewhere()


def _tell_of_models(router: APIRouter, statistics: Statistics, repository: Repository) -> None:
    @router.post("/repository/index")
    async def index(request: Request) -> Response:
        return JSONResponse([_as_json(each) for each in models.index(repository, await _only_ready(request))])

    @_get(router, "/stats", also="/models/stats")
    async def stats(model: str = "", version: str = "") -> Response:
        return JSONResponse(_as_json(statistics.of(models.asked_of(model, version, repository))))

    @_get(router, "/ready")
    async def model_ready(model: str, version: str = "") -> Response:
        if reason := models.ails(model, version, repository):
            raise Unavailable(f"A model has to be well to be ready; {model!r} {reason}.")
        return JSONResponse({"name": model, "ready": True})

    @_get(router, "/config")
    async def config(model: str, version: str = "") -> Response:
        return JSONResponse(_as_json(descriptions.config(model, version, repository)))

    @_get(router, "")
    async def metadata(model: str, version: str = "") -> Response:
        return JSONResponse(_as_json(descriptions.metadata(model, version, repository)))


def _infer(router: APIRouter, inference: Inference) -> None:
    @router.post(_MODEL[0] + "/infer")
    @router.post(_MODEL[1] + "/infer")
    async def infer(request: Request, model: str, version: str = "") -> Response:
        body = await request.body()
        binary = Binary(False, {})

        async def read() -> Question:
            nonlocal binary
            if encoding := request.headers.get("Content-Encoding"):
                raise InvalidRequest(f"A body comes as it is; this one is {told(encoding)}. Do not compress it.")
            spec, json_length = model_spec(model, version), request.headers.get(JSON_LENGTH)
            question, binary = await aside(len(body) > MANY_BYTES, question_in, spec, body, json_length)
            return question

        async def write(reply: Reply) -> Response:
            content, json_length = await aside(reply.writes_slowly, body_of, reply, binary)
            if json_length is None:
                return Response(content, media_type="application/json")
            return Response(content, media_type="application/octet-stream", headers={JSON_LENGTH: str(json_length)})

        return await inference.answer(METHOD, read, write, math.inf)


def _get(router: APIRouter, path: str, also: str = "") -> Callable[[Callable], Callable]:
    """Routes `path` below a model and below a version of it, and `also` before them."""

    def route(endpoint: Callable) -> Callable:
        for each in filter(None, (also, *(model + path for model in _MODEL))):
            router.add_api_route(each, endpoint, methods=["GET"])
        return endpoint

    return route


async def _only_ready(request: Request) -> bool:
    """What the body of an index says, if there is one. Raises InvalidRequest where it is something else."""
    body = await request.body()
    if not body:
        return False
    try:
        return json_format.Parse(body, pb.RepositoryIndexRequest()).ready
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f'An index is asked with nothing, or {{"ready": true}}; what came is neither: {told(str(error))}.'
        ) from None


def _as_json(message: Message) -> dict[str, Any]:
    """Every field by its name, but for messages that are not there; numbers as numbers, of which protobuf's own JSON
    makes text.
    """
    return {
        field.name: _value(field, getattr(message, field.name))
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _value(field: Any, value: Any) -> Any:
    """`field` is its descriptor, of which protobuf has several kinds."""
    if field.is_repeated:
        return [_one(field, each) for each in value]
    return _one(field, value)


def _one(field: Any, value: Any) -> Any:
    if field.message_type:
        return _as_json(value)
    return field.enum_type.values_by_number[value].name if field.enum_type else value
