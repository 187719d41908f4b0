"""Recipes: the numbers of a training run as data, one file a family of architectures.

No framework is imported here, so that a command line can describe every recipe at once.
"""

from training.names import unknown
from training.recipes import lenet
from training.recipes.recipe import Recipe

RECIPES: dict[str, dict[str, Recipe]] = {"lenet5": lenet.RECIPES}
"""Architecture -> data set -> recipe. The recipe for "directory" is for any other pictures."""


def find(architecture: str, data_set: str) -> Recipe:
    """The recipe of `architecture` for `data_set`, or for any directory of pictures.

    Raises UnknownName where no recipe is written for the architecture.
    """
    if architecture not in RECIPES:
        raise unknown("an architecture", architecture, RECIPES)
    recipes = RECIPES[architecture]
    return recipes.get(data_set, recipes["directory"])
