"""The numbers of a recipe as options of a command line, made from the recipe's own fields."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from training.recipes.recipe import Recipe

_TYPES = get_type_hints(Recipe)
_NUMBERS = [each for each in dataclasses.fields(Recipe) if each.name not in ("architecture", "options")]


def recipe_options(command: Callable) -> Callable:
    """Gives `command` an option for each number of a recipe, None where it is left out, and
    --option NAME=VALUE for the architecture's own, together a mapping `options`.
    """
    help = "An option of the architecture's own, activation=relu say; may be repeated."
    decorators = [*map(_option, _NUMBERS), architecture_options(help)]
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def architecture_options(help: str) -> Callable:
    """--option NAME=VALUE, as often as is wanted: together a mapping `options`, values as JSON or else as words."""
    return click.option("--option", "options", multiple=True, metavar="NAME=VALUE", callback=_read_pairs, help=help)


def with_overrides(recipe: Recipe, options: Mapping[str, Any], **numbers: Any) -> Recipe:
    """`recipe` with the `options` and the `numbers` that are not None in place of its own. Raises BadRecipe."""
    given = {name: value for name, value in numbers.items() if value is not None}
    return dataclasses.replace(recipe, options={**recipe.options, **options}, **given)


def _option(each: dataclasses.Field) -> Callable:
    flag, help = f"--{each.name.replace('_', '-')}", each.metadata["help"]
    kind = _TYPES[each.name]
    if kind is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", default=None, help=help)
    if get_origin(kind) is Literal:
        return click.option(flag, type=click.Choice(get_args(kind)), help=help)
    if get_origin(kind) is tuple:
        return click.option(flag, metavar="N,N,...", callback=_read_numbers, help=help)
    return click.option(flag, type=kind, help=help)


def _read_numbers(context, parameter, text: str | None) -> tuple[int, ...] | None:
    """ "30,60" -> (30, 60), and "" -> ()"""
    if text is None:
        return None
    try:
        return tuple(int(each) for each in text.split(",") if each)
    except ValueError:
        raise click.BadParameter(f"Whole numbers with commas between them, 30,60 say; {text!r} came.") from None


def _read_pairs(context, parameter, pairs: tuple[str, ...]) -> dict[str, Any]:
    """("activation=relu", "depth=20") -> {"activation": "relu", "depth": 20}"""
    options = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"An option is NAME=VALUE; {pair!r} came.")
        try:
            options[name] = json.loads(value)
        except json.JSONDecodeError:  # a bare word
            options[name] = value
    return options
