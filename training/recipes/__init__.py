"""Recipes: the numbers of a training run as data, one file a family of architectures.

No framework is imported here, so that a command line can describe every recipe at once.
"""

from training.names import unknown
from training.recipes import alexnet, densenet, googlenet, lenet, resnet, vgg, zfnet
from training.recipes.recipe import Recipe

_FAMILIES = (lenet, alexnet, zfnet, vgg, googlenet, resnet, densenet)

RECIPES: dict[str, dict[str, Recipe]] = {
    architecture: recipes for family in _FAMILIES for architecture, recipes in family.RECIPES.items()
}
"""Architecture -> data set -> recipe. The recipe for "directory" is for any other pictures."""

LECTURE: dict[str, dict[str, Recipe]] = {
    architecture: recipes for family in _FAMILIES for architecture, recipes in getattr(family, "LECTURE", {}).items()
}
"""The same with the lecture's figures, where they differ from the paper's."""

VARIANTS = ("paper", "lecture", "smoke")


def find(architecture: str, data_set: str, variant: str = "paper") -> Recipe:
    """The recipe of `architecture` for `data_set`, or for any directory of pictures.

    `variant` is one of VARIANTS: the paper's, the lecture's, or one step that shows whether everything fits.

    Raises UnknownName where no such recipe is written.
    """
    if architecture not in RECIPES:
        raise unknown("an architecture", architecture, RECIPES)
    if variant not in VARIANTS:
        raise unknown("a variant of a recipe", variant, VARIANTS)
    if variant == "lecture" and architecture not in LECTURE:
        raise unknown("an architecture that the lecture has figures of its own for", architecture, LECTURE)
    recipes = (LECTURE if variant == "lecture" else RECIPES)[architecture]
    recipe = recipes.get(data_set, recipes["directory"])
    return recipe.smoke() if variant == "smoke" else recipe
