"""Which status stands for which error, and that nothing of the server's inside is told."""

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo

from serving import errors
from serving.doors.statuses import status_of

CALLERS = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotServed: grpc.StatusCode.NOT_FOUND,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.NoSuchSignature: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Unsupported: grpc.StatusCode.UNIMPLEMENTED,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlinePassed: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}
OUR_OWN = [errors.EngineFailed("at /srv/x.py"), ValueError("at /srv/x.py"), KeyError("x"), MemoryError()]


@pytest.mark.parametrize("error", CALLERS)
def test_an_error_that_concerns_the_caller_keeps_its_message(error, caplog):
    assert status_of(error("The rule; what came.")) == (CALLERS[error], "The rule; what came.", None)
    assert caplog.records == []


def test_of_a_message_that_clients_would_not_take_the_rule_and_the_way_out_are_told():
    told = status_of(errors.NotServed(f"The rule; {'x' * 2**20} came. The way out.")).message
    assert told.startswith("The rule; xxx")
    assert told.endswith("xxx came. The way out.")
    assert len(told) < 3_000


@pytest.mark.parametrize("error", OUR_OWN, ids=repr)
def test_any_other_error_is_internal_and_its_message_stays_here(error, caplog):
    code, message, _ = status_of(error)
    assert code == grpc.StatusCode.INTERNAL
    assert "/srv" not in message
    (record,) = caplog.records
    assert record.exc_info[1] is error
    assert record.args[0] in message


def test_a_status_says_when_to_come_again_where_that_is_known():
    status = status_of(errors.Overloaded("The rule; what came.", retry_after=1.25)).as_status()
    (detail,) = status.details
    retry = RetryInfo()
    assert detail.Unpack(retry)
    assert retry.retry_delay.ToTimedelta().total_seconds() == 1.25
    assert not status_of(errors.Overloaded("The rule; what came.")).as_status().details


def test_two_failures_have_two_ids():
    assert status_of(ValueError())[1] != status_of(ValueError())[1]


def test_every_error_that_answering_may_raise_has_a_status():
    elsewhere = {
        errors.ModelRejected,
        errors.StoreFailed,
        errors.LockRejected,
        errors.ServerFailed,
        errors.EngineFailed,
    }
    declared = {each for each in errors.TencropError.__subclasses__() if each.__module__ == errors.__name__}
    assert declared - elsewhere == set(CALLERS)
