"""Parameters of requests become choices and deadlines, or are refused by name."""

import math

import pytest

from protos import classification_pb2 as pb
from serving.doors.open_inference.parameters import fields_of, seconds_of
from serving.errors import InvalidRequest


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({}, {}),
        (
            {"views": "multi-scale", "min_views": "single"},
            {"views": pb.VIEWS_MULTI_SCALE, "min_views": pb.VIEWS_SINGLE},
        ),
        ({"vote": "mean-logit"}, {"vote": pb.VOTE_MEAN_LOGIT}),
        ({"priority": "bulk"}, {"priority": pb.PRIORITY_BULK}),
        ({"priority": 1}, {"priority": pb.PRIORITY_INTERACTIVE}),
        ({"priority": 0}, {"priority": pb.PRIORITY_UNSPECIFIED}),
        ({"adaptive": True, "min_confidence": "0.5"}, {"adaptive": True, "min_confidence": 0.5}),
        ({"min_confidence": 1, "timeout": 5}, {"min_confidence": 1.0}),
    ],
)
def test_parameters_become_fields(parameters, fields):
    assert fields_of(parameters) == fields
    pb.ClassifyRequest(**fields)


@pytest.mark.parametrize(
    "parameters",
    [
        {"views": "VIEWS_TEN"},
        {"views": 99},
        {"views": True},
        {"vote": 1.5},
        {"priority": -1},
        {"adaptive": 1},
        {"min_confidence": "much"},
        {"min_confidence": True},
        {"min_confidence": 10**400},
        {"sequence_start": True},
    ],
)
def test_what_is_no_value_of_a_parameter_is_refused_by_its_name(parameters):
    with pytest.raises(InvalidRequest, match=next(iter(parameters))):
        fields_of(parameters)


def test_a_timeout_is_in_microseconds():
    assert seconds_of({"timeout": 1_500_000}) == 1.5


@pytest.mark.parametrize("parameters", [{}, {"timeout": 0}])
def test_who_does_not_say_waits_forever(parameters):
    assert seconds_of(parameters) == math.inf


@pytest.mark.parametrize("timeout", [-1, True, "1", 0.5])
def test_a_timeout_that_is_none_is_refused(timeout):
    with pytest.raises(InvalidRequest, match="microseconds"):
        seconds_of({"timeout": timeout})


def test_what_perf_analyzer_adds_for_requests_with_many_answers_fills_no_field():
    assert fields_of({"triton_enable_empty_final_response": True, "views": "ten"}) == {"views": pb.VIEWS_TEN}
