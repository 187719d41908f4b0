"""Which HTTP status stands for which error, and its body."""

import json

import pytest
from starlette.exceptions import HTTPException

from serving import errors
from serving.doors import statuses
from serving.doors.http_statuses import number_of, refusal

NUMBERS = {
    errors.InvalidRequest: 400,
    errors.NotServed: 404,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Overloaded: 429,
    errors.DeadlinePassed: 504,
    errors.Unavailable: 503,
    errors.NoSuchSignature: 400,
    errors.Unsupported: 501,
    errors.ModelRejected: 400,
}


@pytest.mark.parametrize("error", NUMBERS)
def test_an_error_that_concerns_the_caller_keeps_its_message(error):
    refused = refusal(error("The rule; what came."))
    assert (refused.status_code, json.loads(refused.body)) == (NUMBERS[error], {"error": "The rule; what came."})
    assert "Retry-After" not in refused.headers


def test_a_failure_of_the_server_keeps_its_message_to_itself(caplog):
    refused = refusal(errors.EngineFailed("at /srv/x.py"))
    assert refused.status_code == 500
    assert b"/srv" not in refused.body
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("seconds", "whole"), [(0.02, "1"), (1.25, "2"), (3.0, "3")])
def test_a_caller_is_told_to_come_again_in_whole_seconds_and_not_too_early(seconds, whole):
    assert refusal(errors.Overloaded("", retry_after=seconds)).headers["Retry-After"] == whole


def test_what_http_itself_refuses_keeps_its_status_and_headers():
    refused = refusal(HTTPException(405, "Not here.", {"Allow": "GET"}))
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
    assert json.loads(refused.body) == {"error": "Not here."}


def test_every_status_that_grpc_callers_get_has_a_number():
    assert {number_of(code) for code in statuses._CODES.values()} == set(NUMBERS.values())
