"""The boxes that a request lists: their bounds, and the parts of a picture that they are."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Input
from serving.errors import InvalidRequest

MOST = 150
MIN_SIDE = 4
"""Pixels: less is no picture, as little as for a picture itself."""
MOST_PIXELS = 2**28
"""Of all boxes of a request: about a second of resizing."""


def check(views: pb.Views, boxes: Sequence[pb.Box]) -> None:
    """Raises InvalidRequest where boxes and views do not go together, or a box is none."""
    if views != pb.VIEWS_BOXES:
        if boxes:
            raise InvalidRequest(
                f"Boxes are listed for VIEWS_BOXES; {len(boxes)} came with {pb.Views.Name(views)}. "
                "Ask for VIEWS_BOXES, or leave them out."
            )
        return
    if not 1 <= len(boxes) <= MOST:
        raise InvalidRequest(
            f"VIEWS_BOXES are 1 to {MOST} boxes; {len(boxes)} came. List what to look at in `boxes`, or ask for "
            "other views."
        )
    for number, box in enumerate(boxes, 1):
        # Written so that what is not a number is refused too.
        if not (0 <= box.top < box.bottom <= 1 and 0 <= box.left < box.right <= 1):
            raise InvalidRequest(
                "A box has top < bottom and left < right, fractions from 0 to 1 of the upright picture; box "
                f"{number} has top {box.top:g}, left {box.left:g}, bottom {box.bottom:g} and right {box.right:g}. "
                "Divide pixels by the picture's height and width."
            )


def cut(picture: Image.Image, input: Input, boxes: Sequence[pb.Box]) -> NDArray[np.uint8]:
    """What a network sees of the `boxes` of `picture`, an upright 8-bit grey or RGB image.

    Each is cut at whole pixels, and resized (bilinear, averaged over the area where it shrinks), its aspect not kept.
    Returns uint8 [boxes, input.height, input.width, input.channels]. Raises InvalidRequest where a box has too few
    pixels, or all have too many.
    """
    places = [_pixels(number, box, picture) for number, box in enumerate(boxes, 1)]
    seen = sum((right - left) * (bottom - top) for left, top, right, bottom in places)
    if seen > MOST_PIXELS:
        raise InvalidRequest(
            f"Boxes have at most {MOST_PIXELS} pixels together; {len(boxes)} boxes of {seen} came. List fewer or "
            "smaller ones, or send a smaller picture."
        )
    mode = "L" if input.channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    size = (input.width, input.height)
    rows = [picture.crop(place).resize(size, Image.Resampling.BILINEAR) for place in places]
    return np.stack([np.asarray(row) for row in rows]).reshape(len(rows), input.height, input.width, input.channels)


def _pixels(number: int, box: pb.Box, picture: Image.Image) -> tuple[int, int, int, int]:
    """Left, top, right and bottom."""
    left, right = round(box.left * picture.width), round(box.right * picture.width)
    top, bottom = round(box.top * picture.height), round(box.bottom * picture.height)
    if min(right - left, bottom - top) < MIN_SIDE:
        raise InvalidRequest(
            f"A box has at least {MIN_SIDE} pixels on each side; box {number} has {right - left}x{bottom - top} of the "
            f"picture's {picture.width}x{picture.height}. Make it larger, or send a larger picture."
        )
    return left, top, right, bottom
