"""The log: which lines say which request they belong to, and in which form."""

import json
import logging

import pytest

from serving import request_ids
from serving.logs import JsonLines, TextLines
from serving.request_ids import request_id


@pytest.fixture
def request_66():
    before = request_id.set("order-66")
    yield
    request_id.reset(before)


def record(message: str, *values, exc_info=None) -> logging.LogRecord:
    return logging.LogRecord("serving.models", logging.WARNING, __file__, 1, message, values, exc_info)


def failure():
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        return type(error), error, error.__traceback__


def test_a_line_of_json_says_when_how_bad_where_and_what():
    line = json.loads(JsonLines().format(record('%s is "late"\nby %d', "shades", 3)))
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "WARNING", "logger": "serving.models", "message": 'shades is "late"\nby 3'}


def test_a_line_of_json_is_one_line_whatever_happened():
    line = JsonLines().format(record("two\nlines", exc_info=failure()))
    assert "\n" not in line
    assert "ValueError: two\nlines" in json.loads(line)["error"]


def test_lines_name_the_request_that_they_belong_to(request_66):
    assert json.loads(JsonLines().format(record("late")))["request_id"] == "order-66"
    assert TextLines().format(record("late")).endswith("WARNING serving.models [order-66]: late")


def test_lines_of_no_request_name_none():
    assert "request_id" not in json.loads(JsonLines().format(record("late")))
    assert TextLines().format(record("late")).endswith("WARNING serving.models: late")


@pytest.mark.parametrize("given", [None, "", "two words", "a\nline of its own", "ü", "x" * 129])
def test_a_name_that_would_disturb_the_log_is_not_taken(given, request_66):
    assert len(request_ids.begin(given, "GET /")) == 32


@pytest.mark.parametrize("given", ["order-66", "0af7651916cd43dd8448eb211c80319c", "a/b:c=d+e.f_g", "x" * 128])
def test_a_name_that_a_log_can_hold_is_taken(given, request_66):
    assert request_ids.begin(given, "GET /") == request_id.get() == given
