"""Which HTTP status a caller gets for an error, and the body that says why."""

import http
import math

import grpc
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from serving.doors.statuses import status_of

_NUMBERS: dict[grpc.StatusCode, http.HTTPStatus] = {
    # As TensorFlow Serving has them, and google/rpc/code.proto.
    grpc.StatusCode.INVALID_ARGUMENT: http.HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.FAILED_PRECONDITION: http.HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.NOT_FOUND: http.HTTPStatus.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED: http.HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.DEADLINE_EXCEEDED: http.HTTPStatus.GATEWAY_TIMEOUT,
    grpc.StatusCode.UNAVAILABLE: http.HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.INTERNAL: http.HTTPStatus.INTERNAL_SERVER_ERROR,
}


def number_of(code: grpc.StatusCode) -> int:
    """The HTTP status that means what `code` does. Raises KeyError for a code that no error of ours has."""
    return _NUMBERS[code].value


def refusal(error: Exception) -> JSONResponse:
    """What a caller gets for `error`: {"error": why}, and Retry-After in whole seconds where it is known when to come
    again. What HTTP itself refuses, such as a path that leads nowhere, keeps its status; all else is statuses.py's.
    """
    if isinstance(error, HTTPException):
        return _refusal(error.status_code, error.detail, dict(error.headers or {}))
    status = status_of(error)
    later = {} if status.retry_after is None else {"Retry-After": str(max(1, math.ceil(status.retry_after)))}
    return _refusal(number_of(status.code), status.message, later)


def _refusal(number: int, message: str, headers: dict[str, str]) -> JSONResponse:
    return JSONResponse({"error": message}, number, headers)
