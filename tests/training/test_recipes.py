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


def test_every_architecture_has_a_recipe_for_any_directory():
    assert set(recipes.RECIPES) == set(architectures.FAMILIES)
    for architecture, by_data_set in recipes.RECIPES.items():
        assert recipes.find(architecture, "some/directory") is by_data_set["directory"]
        for recipe in by_data_set.values():
            assert recipe.architecture == architecture


def test_an_unknown_architecture_has_no_recipe():
    with pytest.raises(UnknownName, match="lenet5"):
        recipes.find("lenet6", "digits")


def test_the_smoke_of_every_recipe_is_one_step_of_the_same_network():
    for architecture, by_data_set in recipes.RECIPES.items():
        for data_set, recipe in by_data_set.items():
            smoke = recipes.find(architecture, data_set, "smoke")
            assert (smoke.epochs, smoke.steps, smoke.batch_size) == (1, 1, 2)
            assert (smoke.architecture, smoke.options) == (architecture, recipe.options)
            assert smoke.input_side == recipe.input_side


@pytest.mark.parametrize(
    ("architecture", "differs"),
    [
        ("resnet50", {"l2": (1e-4, 1e-5)}),
        ("resnet20", {"l2": (1e-4, 1e-5)}),
        ("alexnet", {"options": ({}, {"groups": 1, "lrn": "off"})}),
    ],
)
def test_the_lectures_figures_stand_beside_the_papers(architecture, differs):
    papers, lectures = (recipes.find(architecture, "some/directory", name).as_dict() for name in ("paper", "lecture"))
    assert {name: (papers[name], lectures[name]) for name in papers if papers[name] != lectures[name]} == differs


def test_where_the_lecture_has_no_figures_of_its_own_it_says_who_has():
    with pytest.raises(UnknownName, match=r"resnet50.*'vgg-d' came"):
        recipes.find("vgg-d", "some/directory", "lecture")
    with pytest.raises(UnknownName, match="Did you mean 'smoke'"):
        recipes.find("vgg-d", "some/directory", "smok")


def test_the_lectures_augmentation_is_a_recipe():
    recipe = recipes.find("lenet5", "some/directory", "lecture")
    assert recipe.warps
    assert (recipe.rotate, recipe.translate, recipe.zoom, recipe.shear, recipe.stretch) == (180, 10, 1.6, 20, 1.3)


def test_a_plateau_needs_pictures_to_watch():
    with pytest.raises(BadRecipe, match=r"validation is 0\.0 and warmup 0"):
        Recipe(schedule="plateau")
    with pytest.raises(BadRecipe, match="warmup 2"):
        Recipe(schedule="plateau", validation=0.1, warmup=2)


@pytest.mark.parametrize(
    "numbers",
    [
        {"crop": "area", "translate": 2},
        {"crop": "anywhere", "margin": 2},
        {"crop": "anywhere", "rotate": 10.0},
        {"crop": "anywhere", "scale_jitter": (16, 64)},
        {"scale_jitter": (64, 96)},
    ],
)
def test_crops_that_contradict_each_other_are_refused(numbers):
    with pytest.raises(BadRecipe, match="crop"):
        Recipe(**numbers)


def test_a_shift_beyond_the_canvas_is_refused():
    with pytest.raises(BadRecipe, match="room for 1 each way; translate is 2"):
        Recipe(shorter_side=28, margin=3, input_side=32, translate=2)


@pytest.mark.parametrize("crop", ["shift", "anywhere", "area"])
def test_an_input_larger_than_the_canvas_is_refused(crop):
    with pytest.raises(BadRecipe, match="input_side is 64 and the canvas has 56"):
        Recipe(crop=crop, shorter_side=56, input_side=64)


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
        ("milestones", (30, 20), "whole numbers, 1 or more, in rising order"),
        ("milestones", (0, 20), "whole numbers, 1 or more, in rising order"),
        ("scale_jitter", (256,), "nothing, or two whole numbers of pixels in rising order"),
        ("zoom", 0.5, "a finite number, 1 or more"),
        ("shear", 89.5, "a number of degrees from 0 to 89"),
        ("rotate", 181.0, "a number of degrees from 0 to 180"),
        ("decay", 1.0, "a number above 0 and below 1"),
        ("l2", -1e-4, "a finite number, 0 or more"),
        ("l2", math.nan, "a finite number, 0 or more"),
        ("schedule", "linear", "cosine or constant or steps or plateau"),
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


@pytest.mark.parametrize("architecture", sorted(recipes.RECIPES))
def test_every_recipe_can_be_tried_in_one_step(architecture):
    for by_data_set in (recipes.RECIPES[architecture], recipes.LECTURE.get(architecture, {})):
        for recipe in by_data_set.values():
            smoke = recipe.smoke()
            assert (smoke.epochs, smoke.steps, smoke.batch_size, smoke.validation) == (1, 1, 2, 0)
            assert (smoke.architecture, smoke.options) == (recipe.architecture, recipe.options)
            assert (smoke.input_side, smoke.canvas_side) == (recipe.input_side, recipe.canvas_side)
