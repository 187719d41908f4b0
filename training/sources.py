"""Whether training pictures are kept in memory or streamed."""

from dataclasses import replace

from training.batches import Canvases
from training.data import DataSet
from training.data.encoded import checked
from training.recipes.recipe import Recipe
from training.streams import Streamed

KEPT = 2**30
"""Bytes of canvases that are kept in memory."""


def source_of(data: DataSet, recipe: Recipe) -> Canvases | Streamed:
    """The training pictures as canvases where crops are shifted and all of them fit; streamed otherwise.

    What is laid out is looked through first, and broken pictures left out.

    Raises BadRecipe where the pictures do not fill the recipe's epochs, DataUnusable where more than a
    tolerated share is broken.
    """
    size = len(data.train) * recipe.canvas_side**2 * data.channels
    if recipe.crop != "shift" or size > KEPT:
        return Streamed(data, recipe)
    return Canvases(replace(data, train=checked(data.train, f"{data.name} train", data.tolerated)), recipe)
