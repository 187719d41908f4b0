"""Parameters of a request, as fields of a ClassifyRequest and as its deadline. Pure."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from protos import classification_pb2 as pb
from serving.doors.open_inference.question import Parameter
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest

_MICROSECONDS = 1e6
_ASIDE = {"timeout", "triton_enable_empty_final_response"}
"""Parameters that fill no field. The second is perf_analyzer's, for requests with many answers; ours have one each."""


def fields_of(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The fields of a ClassifyRequest that `parameters` fill. Raises InvalidRequest where one is not known, or not
    what it should be.
    """
    unknown = sorted(set(parameters) - set(_FIELDS) - _ASIDE)
    if unknown:
        raise InvalidRequest(
            f"A request has the parameters {', '.join(_FIELDS)} and timeout; {told(unknown)} came. Leave out what "
            "this server does not do."
        )
    return {name: read(name, parameters[name]) for name, read in _FIELDS.items() if name in parameters}


def seconds_of(parameters: Mapping[str, Parameter]) -> float:
    """How long the caller waits, of `timeout` in microseconds; infinity where it does not say, or says 0. Raises
    InvalidRequest.
    """
    timeout = parameters.get("timeout", 0)
    if isinstance(timeout, bool) or not isinstance(timeout, int) or timeout < 0:
        raise InvalidRequest(f"timeout is a whole number of microseconds; {told(timeout)} came.")
    return timeout / _MICROSECONDS or math.inf


def _one_of(enum: Any, prefix: str) -> Callable[[str, Parameter], int]:
    """Reads "multi-scale" and 5 alike."""
    names = {name.removeprefix(prefix).lower().replace("_", "-"): number for name, number in enum.items() if number}

    def read(field: str, value: Parameter) -> int:
        if isinstance(value, str) and value in names:
            return names[value]
        if not isinstance(value, bool) and value in (0, *names.values()):
            return int(value)
        raise InvalidRequest(f"{field} is one of {', '.join(names)}; {told(value)} came.")

    return read


def _text(field: str, value: Parameter) -> str:
    if isinstance(value, str):
        return value
    raise InvalidRequest(f"{field} is text; {told(value)} came.")


def _flag(field: str, value: Parameter) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidRequest(f"{field} is true or false; {told(value)} came.")


def _number(field: str, value: Parameter) -> float:
    """Text too: not every client has parameters that are fractions."""
    try:
        if not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise InvalidRequest(f"{field} is a number; {told(value)} came.")


_FIELDS: dict[str, Callable[[str, Parameter], Any]] = {
    "views": _one_of(pb.Views, "VIEWS_"),
    "min_views": _one_of(pb.Views, "VIEWS_"),
    "vote": _one_of(pb.Vote, "VOTE_"),
    "priority": _one_of(pb.Priority, "PRIORITY_"),
    "adaptive": _flag,
    "min_confidence": _number,
    "routing_key": _text,
}
