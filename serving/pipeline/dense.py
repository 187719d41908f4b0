"""Rows for networks that are run as fully convolutional: whole canvases."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos.model_card_pb2 import Geometry, Input
from serving.errors import InvalidRequest
from serving.models.dense import MAX_ASPECT
from serving.pipeline.reduction import Part
from serving.pipeline.views import lay_out


def check_aspect(size: tuple[int, int]) -> None:
    """Raises InvalidRequest where the canvas of a picture of `size` (width, height) would be too long."""
    if max(size) > MAX_ASPECT * min(size):
        raise InvalidRequest(
            f"For dense views a picture's longer side is at most {MAX_ASPECT} times its shorter; {size[0]}x{size[1]} "
            "came. Ask for other views, VIEWS_GRID say, or crop it before sending."
        )


def canvases(picture: Image.Image, input: Input, geometry: Geometry, part: Part | None = None) -> NDArray[np.uint8]:
    """All of `picture`, an upright 8-bit grey or RGB image, or of a `part` of it, and its mirror image.

    Returns uint8 [2, height, width, input.channels], in the order of plans.DENSE.
    """
    canvas = lay_out(picture, input, geometry, part)
    return np.stack([canvas, canvas[:, ::-1]])
