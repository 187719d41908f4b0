import dataclasses
import math
import re
import subprocess
import sys

import pytest

from training import architectures, recipes
from training.errors import BadRecipe, UnknownName
from training.recipes.recipe import Recipe


def test_recipes_and_help_are_read_without_any_framework():
    code = """
import sys
import training.command_line, training.architectures
heavy = {"tensorflow", "keras", "numpy", "PIL", "sklearn"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_architecture_with_a_recipe_has_one_for_any_directory():
    for architecture, by_data_set in recipes.RECIPES.items():
        assert architecture in architectures.FAMILIES
        assert recipes.find(architecture, "some/directory") is by_data_set["directory"]
        for recipe in by_data_set.values():
            assert recipe.architecture == architecture


def test_an_unknown_architecture_has_no_recipe():
    with pytest.raises(UnknownName, match="lenet5"):
        recipes.find("lenet6", "digits")


def test_a_shift_beyond_the_canvas_is_refused():
    with pytest.raises(BadRecipe, match="room for 1 each way; translate is 2"):
        Recipe(shorter_side=28, margin=3, input_side=32, translate=2)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "input_side"])
def test_a_count_of_nothing_is_refused(name):
    with pytest.raises(BadRecipe, match=name):
        Recipe(**{name: 0})


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("margin", -1, "a whole number, 0 or more"),
        ("translate", -3, "a whole number, 0 or more"),
        ("epochs", 2.5, "a whole number, 1 or more"),
        ("learning_rate", -0.1, "a finite number above 0"),
        ("learning_rate", 0.0, "a finite number above 0"),
        ("learning_rate", math.nan, "a finite number above 0"),
        ("learning_rate", math.inf, "a finite number above 0"),
        ("momentum", 1.0, "a number from 0 to below 1"),
        ("momentum", -0.1, "a number from 0 to below 1"),
        ("momentum", math.nan, "a number from 0 to below 1"),
        ("l2", -1e-4, "a finite number, 0 or more"),
        ("l2", math.nan, "a finite number, 0 or more"),
        ("schedule", "linear", "cosine or constant"),
        ("mixed_precision", "float8", "off or bfloat16 or float16"),
    ],
)
def test_a_value_out_of_bounds_is_refused(name, value, rule):
    with pytest.raises(BadRecipe, match=re.escape(f"{name} is {rule}; {value} came. Give it such a value.")):
        Recipe(**{name: value})


def test_every_number_has_bounds():
    numbers = [each for each in dataclasses.fields(Recipe) if each.type in (int, float)]
    assert numbers
    assert all(each.metadata["bounds"] for each in numbers)
