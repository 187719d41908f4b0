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
