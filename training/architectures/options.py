"""The options of an architecture: its builder's keyword-only parameters, with their types."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from training.errors import BadRecipe
from training.names import unknown


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
