"""The canvases that training crops are cut from, made by serving's own code: what is trained is what is served."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos.model_card_pb2 import Geometry, Input
from serving.pipeline import views
from training.recipes.recipe import Recipe


def input_of(recipe: Recipe, channels: int) -> Input:
    """What a network of `recipe` takes, in the card's words."""
    return Input(height=recipe.input_side, width=recipe.input_side, channels=channels)


def geometry_of(recipe: Recipe) -> Geometry:
    """How `recipe` lays out a picture, in the card's words."""
    return Geometry(shorter_side=recipe.shorter_side, margin=recipe.margin)


def lay_out(images: Iterable[NDArray[np.uint8]], recipe: Recipe, channels: int) -> NDArray[np.uint8]:
    """The canvas of each of `images` (uint8 [height, width, channels]), its longer side cut to
    the middle: uint8 [N, side, side, channels] where side is the recipe's `canvas_side`.
    """
    input, geometry = input_of(recipe, channels), geometry_of(recipe)
    return np.stack(
        [_middle(views.lay_out(to_picture(image), input, geometry), recipe.canvas_side) for image in images]
    )


def to_picture(image: NDArray[np.uint8]) -> Image.Image:
    """uint8 [height, width, 1 or 3] -> a grey or RGB image."""
    return Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)


def _middle(canvas: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    top, left = (canvas.shape[0] - side) // 2, (canvas.shape[1] - side) // 2
    return canvas[top : top + side, left : left + side]
