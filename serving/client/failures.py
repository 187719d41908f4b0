"""What a failed call raises in its caller: one class a fault."""

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from serving import errors

_ERRORS: dict[grpc.StatusCode, type[errors.TencropError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.NOT_FOUND: errors.NotServed,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: errors.Forbidden,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlinePassed,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.FAILED_PRECONDITION: errors.ModelRejected,  # of administrators' orders
    grpc.StatusCode.CANCELLED: errors.Unavailable,  # by a server at its end: this client cancels nothing
}


def raised(error: grpc.RpcError) -> errors.TencropError:
    """What a failed call raises in its caller."""
    if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in error.details():
        return errors.Unavailable(
            f"A server has to answer; none did ({error.details()}). Start one with `tencrop serve`, or name another."
        )
    if "message larger than max" in error.details():  # gRPC refuses by the status of a full queue
        return errors.InvalidRequest(f"A request has a bounded size; {error.details()}. Send a smaller picture.")
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    return _typed(error.code(), error.details(), Status.FromString(details))


def raised_by_item(id: str, status: Status) -> errors.TencropError:
    """What an item of a stream that failed raises in its caller, who is told which picture it was."""
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    return _typed(code, f"{id}: {status.message}", status)


def _typed(code: grpc.StatusCode, message: str, status: Status) -> errors.TencropError:
    """The error that a status stands for; an Overloaded knows when to come again where `status` says so."""
    if code not in _ERRORS:
        return errors.ServerFailed(f"{code.name}: {message}")
    if _ERRORS[code] is not errors.Overloaded:
        return _ERRORS[code](message)
    retry = RetryInfo()
    known = any(detail.Unpack(retry) for detail in status.details)
    return errors.Overloaded(message, retry.retry_delay.ToNanoseconds() / 1e9 if known else None)
