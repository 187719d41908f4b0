"""Which HTTP status a caller gets for an error, and the body that says why."""

import http
import math
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from serving.doors.statuses import Refusal, status_of
from serving.errors import InvalidRequest

_NUMBERS: dict[grpc.StatusCode, http.HTTPStatus] = {
    # As TensorFlow Serving has them, and google/rpc/code.proto.
    grpc.StatusCode.INVALID_ARGUMENT: http.HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.FAILED_PRECONDITION: http.HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.NOT_FOUND: http.HTTPStatus.NOT_FOUND,
    grpc.StatusCode.UNAUTHENTICATED: http.HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: http.HTTPStatus.FORBIDDEN,
    grpc.StatusCode.RESOURCE_EXHAUSTED: http.HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.DEADLINE_EXCEEDED: http.HTTPStatus.GATEWAY_TIMEOUT,
    grpc.StatusCode.UNAVAILABLE: http.HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.UNIMPLEMENTED: http.HTTPStatus.NOT_IMPLEMENTED,
    grpc.StatusCode.INTERNAL: http.HTTPStatus.INTERNAL_SERVER_ERROR,
}


def number_of(code: grpc.StatusCode) -> int:
    """The HTTP status that means what `code` does. Raises KeyError for a code that no error of ours has."""
    return _NUMBERS[code].value


class Refused(BaseModel):
    """The body of every answer that is none."""

    error: str = Field(description="The rule, what came, and the way out.")


REFUSALS: dict[int | str, dict[str, Any]] = {
    number: {"model": Refused, "description": meaning}
    for number, meaning in {
        400: "The request or its picture is at fault. Sending it again unchanged fails again.",
        404: "No such model, version or label is served.",
        413: "The body is longer than the server takes.",
        429: "Too much waits already. Retry-After says when to come again, where that is known.",
        500: "The server is at fault; the message names an id that its log knows.",
        503: "The server is stopping. Another replica will answer.",
        504: "The caller's deadline passed.",
    }.items()
}
"""As OpenAPI lists what an endpoint of ours may answer by."""


def refusal(error: Exception) -> JSONResponse:
    """What a caller gets for `error`. What HTTP itself refuses, such as a path that leads nowhere, keeps its status;
    all else is statuses.py's.
    """
    if isinstance(error, HTTPException):
        return _refusal(error.status_code, error.detail, dict(error.headers or {}))
    return as_response(status_of(error))


def as_response(status: Refusal) -> JSONResponse:
    """A refusal over HTTP: {"error": why}, and Retry-After in whole seconds where it is known when to come again."""
    headers = {}
    if status.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(status.retry_after)))
    if status.code is grpc.StatusCode.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return _refusal(number_of(status.code), status.message, headers)


def misshapen(errors: Iterable[Mapping[str, Any]]) -> InvalidRequest:
    """What to raise for the errors that pydantic found in a request."""
    wrong = "; ".join(f"{'.'.join(map(str, each['loc']))[:100]}: {each['msg']}" for each in errors)
    return InvalidRequest(f"A request has the fields that /docs lists; in what came, {wrong}.")


def _refusal(number: int, message: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({"error": message}, number, headers)
