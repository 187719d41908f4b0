"""The options of an architecture: its builder's keyword-only parameters, with their types."""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from training.errors import BadRecipe
from training.names import unknown


class _Bounds(NamedTuple):
    words: str
    allow: Callable[[Any], bool]


_ABOVE_0 = _Bounds("a finite number above 0", lambda value: 0 < value < math.inf)
_COUNT = _Bounds("a whole number, 1 or more", lambda value: value >= 1)
_BOUNDS = {
    "width": _ABOVE_0,
    "bn_epsilon": _ABOVE_0,
    "dropout": _Bounds("a number from 0 to below 1", lambda value: 0 <= value < 1),
    "fc_width": _COUNT,
    "blocks": _Bounds("a whole number, 0 or more", lambda value: value >= 0),
}
"""What options may be that several families have, beyond their type."""


def known_options(builder: Callable) -> list[str]:
    """The names of `builder`'s options."""
    parameters = inspect.signature(builder).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def check_options(name: str, builder: Callable, options: Mapping[str, Any]) -> None:
    """Raises UnknownName or BadRecipe where `options` are not for the architecture called `name`."""
    known, kinds = known_options(builder), get_type_hints(builder)
    for option, value in options.items():
        if option not in known:
            raise unknown(f"an option of {name}", option, known)
        if not _fits(value, kinds[option]):
            raise BadRecipe(f"{option} of {name} is {_described(kinds[option])}; {value!r} came. Give it such a value.")
        if option in _BOUNDS and not _BOUNDS[option].allow(value):
            raise BadRecipe(f"{option} of {name} is {_BOUNDS[option].words}; {value!r} came. Give it such a value.")


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is kind


def _described(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(each) for each in get_args(kind))
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}[kind]
