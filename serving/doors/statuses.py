"""Which gRPC status a caller gets for an error."""

import logging
import uuid
from typing import NamedTuple, NoReturn

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from serving import errors, request_ids

log = logging.getLogger(__name__)

_CODES: dict[type[errors.TencropError], grpc.StatusCode] = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotServed: grpc.StatusCode.NOT_FOUND,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.NoSuchSignature: grpc.StatusCode.FAILED_PRECONDITION,  # as TensorFlow Serving has it
    errors.Unsupported: grpc.StatusCode.UNIMPLEMENTED,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.StoreFailed: grpc.StatusCode.UNAVAILABLE,  # to administrators alone, as is the next
    errors.ModelRejected: grpc.StatusCode.FAILED_PRECONDITION,
}

_HALF = 1_000
"""Characters of a message's beginning and end that are told of one that is longer than both. gRPC's clients take 8 KiB
of trailing metadata, and tell their caller RESOURCE_EXHAUSTED in place of a status that is larger.
"""


class Refusal(NamedTuple):
    """What a caller gets in place of an answer."""

    code: grpc.StatusCode
    message: str
    retry_after: float | None = None
    """In so many seconds the same request may succeed; None where that is not known."""

    def as_status(self) -> Status:
        """As protos carry it, google.rpc.RetryInfo in its details where it is known when to come again."""
        status = Status(code=self.code.value[0], message=self.message)
        if self.retry_after is not None:
            retry = RetryInfo()
            retry.retry_delay.FromNanoseconds(int(self.retry_after * 1e9))
            status.details.add().Pack(retry)
        return status

    async def abort(self, context: grpc.aio.ServicerContext) -> NoReturn:
        """Ends the call by this status; its details, if any, go by the name that gRPC's own tools look for."""
        details = self.as_status()
        trailers = request_ids.as_metadata()
        if details.details:
            trailers += (("grpc-status-details-bin", details.SerializeToString()),)
        await context.abort(self.code, self.message, trailers)
        raise AssertionError("abort raises")


def code_of(error: Exception) -> grpc.StatusCode:
    """The code of its status: INTERNAL of what is the server's own fault."""
    return _CODES.get(type(error), grpc.StatusCode.INTERNAL)  # type: ignore[arg-type]


def status_of(error: Exception) -> Refusal:
    """The status for `error`. What is the server's own fault is logged whole, under an id that the
    caller is told, and the caller is told nothing else of it.
    """
    code = code_of(error)
    if code is not grpc.StatusCode.INTERNAL:
        return Refusal(code, _shortened(str(error)), getattr(error, "retry_after", None))
    failure_id = uuid.uuid4().hex[:12]
    log.error("failure %s", failure_id, exc_info=error)
    return Refusal(grpc.StatusCode.INTERNAL, f"The server failed; its log has the reason under {failure_id}.")


def _shortened(message: str) -> str:
    """`message`, but for the middle of what is too long to be told: names may be as long as a request."""
    return message if len(message) <= 2 * _HALF else f"{message[:_HALF]} ... {message[-_HALF:]}"
