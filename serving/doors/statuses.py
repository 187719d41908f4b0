"""Which gRPC status a caller gets for an error."""

import logging
import uuid

import grpc

from serving import errors

log = logging.getLogger(__name__)

_CODES: dict[type[errors.TencropError], grpc.StatusCode] = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotServed: grpc.StatusCode.NOT_FOUND,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def status_of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """Code and message for `error`. What is the server's own fault is logged whole, under an id that the
    caller is told, and the caller is told nothing else of it.
    """
    code = _CODES.get(type(error))  # type: ignore[arg-type]
    if code is not None:
        return code, str(error)
    failure_id = uuid.uuid4().hex[:12]
    log.error("failure %s", failure_id, exc_info=error)
    return grpc.StatusCode.INTERNAL, f"The server failed; its log has the reason under {failure_id}."
